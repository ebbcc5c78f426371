package hub

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"causa/wire/pb"
)

// counters count what a hub does. They never tell who or about what. They are safe for
// concurrent use and cost a few nanoseconds.
type counters struct {
	requests      [maxKinds]atomic.Uint64 // by kind: the field number in ClientFrame
	refusals      [maxCodes]atomic.Uint64 // answers, by code
	ended         [maxCodes]atomic.Uint64 // connections that the hub ended, by code
	turnedAway    atomic.Uint64           // connections that the guard did not admit
	received      atomic.Uint64           // bytes of frames
	sent          atomic.Uint64           // bytes of frames
	pushed        atomic.Uint64           // pages put into a connection's queue
	leftOut       atomic.Uint64           // pages that found no room there
	content       atomic.Uint64           // messages on the disk
	commits       atomic.Uint64           // commits on the disk
	trimmed       atomic.Uint64           // entries that were too old
	wakes         atomic.Uint64           // devices woken
	wakesFailed   atomic.Uint64           // tries at an endpoint that failed
	batches       histogram               // how long transactions take
	batchRequests atomic.Uint64           // requests in them
	conflicts     atomic.Uint64           // batches tried again because another hub was faster
}

const (
	maxKinds = 128
	maxCodes = 128
)

// bodyKinds is where a ClientFrame says what it asks for.
var bodyKinds = (*pb.ClientFrame)(nil).ProtoReflect().Descriptor().Oneofs().ByName("body")

// asked counts a request.
func (c *counters) asked(f *pb.ClientFrame) {
	if kind := f.ProtoReflect().WhichOneof(bodyKinds); kind != nil && kind.Number() < maxKinds {
		c.requests[kind.Number()].Add(1)
	}
}

// addCode counts by a code.
func addCode(to *[maxCodes]atomic.Uint64, code uint32) { to[min(code, maxCodes-1)].Add(1) }

// bounds are the upper ends of the histogram's bins, but for the last.
var bounds = [...]time.Duration{
	500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond,
	25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, time.Second, 5 * time.Second,
}

// A histogram counts durations.
type histogram struct {
	bins [len(bounds) + 1]atomic.Uint64
	sum  atomic.Int64 // nanoseconds
}

func (h *histogram) observe(d time.Duration) {
	i := 0
	for i < len(bounds) && d > bounds[i] {
		i++
	}
	h.bins[i].Add(1)
	h.sum.Add(int64(d))
}

// An exposition is metrics in Prometheus' text format, version 0.0.4.
type exposition struct{ strings.Builder }

// family begins a metric.
func (e *exposition) family(name, kind, help string) {
	fmt.Fprintf(e, "# HELP causa_hub_%s %s\n# TYPE causa_hub_%s %s\n", name, help, name, kind)
}

// value writes one value of the metric; labels stand in braces or are empty.
func (e *exposition) value(name, labels string, v float64) {
	fmt.Fprintf(e, "causa_hub_%s%s %s\n", name, labels, strconv.FormatFloat(v, 'g', -1, 64))
}

// single writes a metric of one value.
func (e *exposition) single(name, kind, help string, v float64) {
	e.family(name, kind, help)
	e.value(name, "", v)
}

// byCode writes a metric with a value for each code that has occurred.
func (e *exposition) byCode(name, help string, from *[maxCodes]atomic.Uint64) {
	e.family(name, "counter", help)
	for code := range from {
		if n := from[code].Load(); n > 0 {
			e.value(name, fmt.Sprintf(`{code="%d"}`, code), float64(n))
		}
	}
}

func (e *exposition) histogram(name, help string, h *histogram) {
	e.family(name, "histogram", help)
	var n uint64
	for i := range h.bins {
		n += h.bins[i].Load()
		le := "+Inf"
		if i < len(bounds) {
			le = strconv.FormatFloat(bounds[i].Seconds(), 'g', -1, 64)
		}
		e.value(name+"_bucket", fmt.Sprintf(`{le=%q}`, le), float64(n))
	}
	e.value(name+"_sum", "", time.Duration(h.sum.Load()).Seconds())
	e.value(name+"_count", "", float64(n))
}

// expose tells how the hub is and what it has done since its start.
func (h *Hub) expose() string {
	e, c := new(exposition), &h.counters
	devices, joining := h.online.count()
	e.family("connections", "gauge", "Connections, by who is at the other end.")
	e.value("connections", `{of="device"}`, float64(devices))
	e.value("connections", `{of="joining"}`, float64(joining))
	e.single("connections_turned_away_total", "counter", "Connections not admitted, by rate or number.", float64(c.turnedAway.Load()))
	e.byCode("connections_ended_total", "Connections that the hub ended, by code (docs/protocol.md, section 7).", &c.ended)
	e.family("requests_total", "counter", "Requests, by kind.")
	for i := range bodyKinds.Fields().Len() {
		kind := bodyKinds.Fields().Get(i)
		e.value("requests_total", fmt.Sprintf(`{kind=%q}`, kind.Name()), float64(c.requests[kind.Number()].Load()))
	}
	e.byCode("refusals_total", "Requests refused, by code (docs/protocol.md, section 7).", &c.refusals)
	e.family("entries_total", "counter", "Entries of matters on the disk since the start, by kind.")
	e.value("entries_total", `{kind="content"}`, float64(c.content.Load()))
	e.value("entries_total", `{kind="commit"}`, float64(c.commits.Load()))
	e.single("trimmed_entries_total", "counter", "Entries deleted because they were too old.", float64(c.trimmed.Load()))
	e.single("wakes_total", "counter", "Wake-ups sent to devices that are not connected, or sleep.", float64(c.wakes.Load()))
	e.single("wakes_failed_total", "counter", "Tries at an endpoint that failed.", float64(c.wakesFailed.Load()))
	e.single("pages_pushed_total", "counter", "Pages of matters put into the queue of a connection.", float64(c.pushed.Load()))
	e.single("pages_left_out_total", "counter", "Pages that found no room in the queue of a slow connection, which pulls them later.", float64(c.leftOut.Load()))
	e.single("received_bytes_total", "counter", "Bytes of frames received.", float64(c.received.Load()))
	e.single("sent_bytes_total", "counter", "Bytes of frames sent.", float64(c.sent.Load()))
	e.histogram("transaction_seconds", "How long it takes to bring a batch of requests to the disk.", &c.batches)
	e.single("transaction_requests_total", "counter", "Requests in these batches.", float64(c.batchRequests.Load()))
	e.single("writer_queue", "gauge", "Requests that wait for the writer.", float64(len(h.writer.in)))
	e.single("large_requests", "gauge", "Large requests being received or carried out, 8 at most.", float64(len(h.requests)))
	e.single("large_answers", "gauge", "Large answers being read or sent, 24 at most.", float64(len(h.answers)))
	e.single("database_conflicts_total", "counter", "Batches tried again because another hub on the same database was faster.", float64(c.conflicts.Load()))
	e.single("database_gone", "gauge", "1 when the database could not be reached at the last try.", truth(h.gone.Load()))
	e.single("disk_full", "gauge", "1 when the disk was full at the last try.", truth(h.full.Load()))
	e.single("log_entries", "gauge", "Entries of the organisation log.", float64(h.org.next()))
	e.single("devices", "gauge", "Devices that are active in the organisation log.", float64(h.org.activeDevices()))
	e.single("incarnation", "gauge", "Grows when the hub is restored from a backup.", float64(h.incarnation))
	e.single("database_bytes", "gauge", "Size of the database file.", h.sizeOf(databaseFile))
	e.single("write_ahead_bytes", "gauge", "Size of the database's write-ahead file.", h.sizeOf(databaseFile+"-wal"))
	h.blobs.expose(e)
	e.single("start_time_seconds", "gauge", "When the hub was started, in Unix seconds.", float64(h.started.Unix()))
	e.process()
	return e.String()
}

// process writes what the Go runtime tells.
func (e *exposition) process() {
	samples := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}, {Name: "/sched/goroutines:goroutines"},
	}
	metrics.Read(samples)
	for i, m := range []struct{ name, help string }{
		{"memory_bytes", "Memory taken from the system."},
		{"heap_objects_bytes", "Memory of objects in use."},
		{"goroutines", "Goroutines."},
	} {
		if samples[i].Value.Kind() == metrics.KindUint64 {
			e.single(m.name, "gauge", m.help, float64(samples[i].Value.Uint64()))
		}
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// sizeOf returns the size of a file of the data folder, 0 when it is not there.
func (h *Hub) sizeOf(name string) float64 {
	info, err := os.Stat(filepath.Join(h.opts.Data, name))
	if err != nil {
		return 0
	}
	return float64(info.Size())
}

// metricsHandler answers /metrics and /healthz at the operator's own address.
func (h *Hub) metricsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", h.healthz)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = fmt.Fprint(w, h.expose()) // the peer may be gone
	})
	return mux
}
