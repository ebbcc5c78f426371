package hub_test

import (
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"causa/hub"
	"causa/hub/hubtest"
	"causa/matter"
	"causa/wire"
)

// get reads a page of the operator's address.
func get(t *testing.T, h *hubtest.Hub, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+h.MetricsAddr()+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

var sample = regexp.MustCompile(`^([a-z_]+)(\{[a-z]+="[A-Za-z0-9_.+]+"\})? ([0-9.e+-]+)$`)

// scrape reads the metrics as Prometheus would, and fails the test where it would fail.
func scrape(t *testing.T, h *hubtest.Hub) map[string]float64 {
	t.Helper()
	_, text := get(t, h, "/metrics")
	values, kind, family := map[string]float64{}, "", ""
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "# HELP "); ok {
			family, _, _ = strings.Cut(name, " ")
			if seen[family] {
				t.Errorf("%s comes twice", family)
			}
			seen[family] = true
			continue
		}
		if name, ok := strings.CutPrefix(line, "# TYPE "+family+" "); ok {
			kind = name
			continue
		}
		m := sample.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("can't be read: %q", line)
		}
		name := m[1]
		if kind == "histogram" {
			name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		}
		if name != family || (kind == "counter") != strings.HasSuffix(family, "_total") {
			t.Errorf("%q stands under %s, a %s", line, family, kind)
		}
		v, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			t.Errorf("%q: %v", line, err)
		}
		if _, ok := values[m[1]+m[2]]; ok {
			t.Errorf("%s%s comes twice", m[1], m[2])
		}
		values[m[1]+m[2]] = v
	}
	return values
}

func TestMetrics(t *testing.T) {
	r := newRig(t, func(o *hub.Options) { o.Metrics = "127.0.0.1:0" })
	a, b := r.owner(), r.hire(matter.RoleMember)
	before := scrape(t, r.Hub)
	id := a.open()
	a.change(id, []*member{b}, nil)
	for i := range 3 {
		a.say(id, name(i))
	}
	a.refused(wire.CodeEpochStale, send(id, a.counter+1, 7, "too late"))
	after := scrape(t, r.Hub)
	for _, tt := range []struct {
		name string
		want float64 // how much more than before
	}{
		{`causa_hub_entries_total{kind="content"}`, 3},
		{`causa_hub_entries_total{kind="commit"}`, 1},
		{`causa_hub_requests_total{kind="send_content"}`, 4},
		{`causa_hub_requests_total{kind="create_matter"}`, 1},
		{`causa_hub_refusals_total{code="16"}`, 1},
		{`causa_hub_pages_pushed_total`, 8},
		{`causa_hub_pages_left_out_total`, 0},
		{`causa_hub_transaction_seconds_bucket{le="+Inf"}`, after["causa_hub_transaction_seconds_count"] - before["causa_hub_transaction_seconds_count"]},
		{`causa_hub_connections{of="device"}`, 0},
		{`causa_hub_large_requests`, 0},
		{`causa_hub_disk_full`, 0},
	} {
		if got := after[tt.name] - before[tt.name]; got != tt.want {
			t.Errorf("%s grew by %v, want %v", tt.name, got, tt.want)
		}
	}
	for name, want := range map[string]float64{`causa_hub_connections{of="device"}`: 2, "causa_hub_devices": 2, "causa_hub_log_entries": 3} {
		if after[name] != want {
			t.Errorf("%s = %v, want %v", name, after[name], want)
		}
	}
	for _, name := range []string{
		"causa_hub_received_bytes_total", "causa_hub_sent_bytes_total", "causa_hub_transaction_seconds_sum", "causa_hub_transaction_requests_total",
	} {
		if after[name] <= before[name] {
			t.Errorf("%s does not grow", name)
		}
	}
	for _, name := range []string{"causa_hub_database_bytes", "causa_hub_memory_bytes", "causa_hub_goroutines", "causa_hub_start_time_seconds"} {
		if after[name] <= 0 {
			t.Errorf("%s = %v", name, after[name])
		}
	}
	if code, text := get(t, r.Hub, "/healthz"); code != http.StatusOK || text != "ok\n" {
		t.Errorf("healthz: %d %q", code, text)
	}
	if code, _ := get(t, r.Hub, wire.Path); code != http.StatusNotFound {
		t.Errorf("devices are served in the clear: %d", code)
	}
	_, err := hub.Open(hub.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", Metrics: r.MetricsAddr()})
	worded(t, err, "The hub can't listen at 127.0.0.1:")
	if quiet := hubtest.Start(t); quiet.MetricsAddr() != "" {
		t.Error("metrics are served unasked")
	}
}
