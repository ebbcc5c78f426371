package hub

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"causa/hub/db"
	"causa/orglog"
)

// controlFile is the socket at which a running hub tells its operator how it is. Only
// who may read the data folder can reach it.
const controlFile = "control"

// A Status says how a hub is. It names nobody. What stands under Live is there only
// while the hub runs.
type Status struct {
	Founded       bool   `json:"founded"`
	Incarnation   uint64 `json:"incarnation"`
	Log           uint64 `json:"log"`     // entries of the organisation log
	Devices       int    `json:"devices"` // that are active
	Matters       uint64 `json:"matters"`
	Entries       uint64 `json:"entries"`        // messages and changes, ever
	Welcomes      uint64 `json:"welcomes"`       // that wait
	KeyPackages   uint64 `json:"key_packages"`   // in stock
	DatabaseBytes int64  `json:"database_bytes"` // of the file
	Live          *Live  `json:"live"`
}

// Live is what only a running hub knows.
type Live struct {
	Address     string    `json:"address"`
	Pin         string    `json:"pin"` // hex
	Started     time.Time `json:"started"`
	Connections int       `json:"connections"` // of devices
	Joining     int       `json:"joining"`     // connections that have not signed in as a device
	Queued      int       `json:"queued"`      // requests that wait for the writer
	DiskFull    bool      `json:"disk_full"`
	Gone        bool      `json:"database_gone"` // it can't be reached
}

// ReadStatus asks the hub that runs on a data folder how it is or, when none does,
// looks into the folder.
func ReadStatus(ctx context.Context, at Place) (*Status, error) {
	if st, err := askStatus(ctx, filepath.Join(at.Data, controlFile)); err == nil {
		return st, nil
	}
	return folderStatus(ctx, at)
}

func askStatus(ctx context.Context, socket string) (*Status, error) {
	ctx, cancel := context.WithTimeout(ctx, asideTime)
	defer cancel()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://hub/status", http.NoBody)
	if err != nil {
		return nil, err
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }() // it was read or is of no use
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("hub answers with %s", res.Status)
	}
	st := new(Status)
	return st, json.NewDecoder(res.Body).Decode(st)
}

// folderStatus reads what a folder tells without a hub.
func folderStatus(ctx context.Context, at Place) (st *Status, err error) {
	s, err := openSnapshot(ctx, at)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	st, err = countAll(ctx, s)
	if err != nil {
		return nil, storeFault(err)
	}
	state, _, err := checkLog(ctx, s)
	if err != nil {
		return nil, storeFault(err)
	}
	st.Devices = activeDevices(state)
	return st, nil
}

func countAll(ctx context.Context, s *db.Snapshot) (*Status, error) {
	c, err := s.Counts(ctx)
	if err != nil {
		return nil, err
	}
	raw, err := s.Meta(ctx, metaIncarnation)
	if err != nil {
		return nil, err
	}
	incarnation, err := decodeIncarnation(raw)
	if err != nil {
		return nil, err
	}
	return &Status{
		Founded: c.Log > 0, Incarnation: incarnation, Log: c.Log, Matters: c.Matters, Entries: c.Entries,
		Welcomes: c.Welcomes, KeyPackages: c.KeyPackages, DatabaseBytes: c.Bytes,
	}, nil
}

func activeDevices(state *orglog.State) (n int) {
	for _, d := range state.Devices() {
		if state.ActiveDevice(d.ID) {
			n++
		}
	}
	return n
}

// Status says how the hub is.
func (h *Hub) Status(ctx context.Context) (st *Status, err error) {
	s, err := openSnapshot(ctx, h.opts.place())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if st, err = countAll(ctx, s); err != nil {
		return nil, err
	}
	st.Devices = h.org.activeDevices()
	devices, joining := h.online.count()
	st.Live = &Live{
		Address: h.Addr(), Pin: hex.EncodeToString(h.pin[:]), Started: h.started.UTC().Truncate(time.Second),
		Connections: devices, Joining: joining, Queued: len(h.writer.in), DiskFull: h.full.Load(), Gone: h.gone.Load(),
	}
	return st, nil
}

// listenControl opens the control socket. A hub works without one: where the system
// has no such sockets, or the folder's name is too long for one, status is read from
// the folder.
func (h *Hub) listenControl() {
	path := filepath.Join(h.opts.Data, controlFile)
	_ = os.Remove(path)                // of a hub that was killed: the folder is ours alone
	l, err := net.Listen("unix", path) //nolint:noctx // nothing to wait for
	if err != nil {
		h.log.Info("no control socket: status is read from the folder", "err", err)
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		st, err := h.Status(r.Context())
		if err != nil {
			http.Error(w, "status", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(st) // the peer may be gone
	})
	h.aside.serve(l, mux, h.httpServerLog())
}
