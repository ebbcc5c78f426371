//go:build linux && cgo

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// tick is the kernel's unit of processor time in /proc.
const tick = 10 * time.Millisecond

// cpuOf sums the processor time of processes and all their descendants.
func cpuOf(pids ...int) time.Duration {
	parent, used := map[int]int{}, map[int]int64{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well formed
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		text := string(b)
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil || len(fields) < 15 {
			continue
		}
		ppid, ppidErr := strconv.Atoi(fields[1])
		user, userErr := strconv.ParseInt(fields[11], 10, 64)
		system, systemErr := strconv.ParseInt(fields[12], 10, 64)
		if errors.Join(ppidErr, userErr, systemErr) != nil {
			continue
		}
		parent[pid], used[pid] = ppid, user+system
	}
	var sum int64
	for pid, n := range used {
		for p, depth := pid, 0; p > 1 && depth < 64; p, depth = parent[p], depth+1 {
			if slices.Contains(pids, p) {
				sum += n
				break
			}
		}
	}
	return time.Duration(sum) * tick
}

// memoryOf is what a process has in memory.
func memoryOf(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("the kernel does not tell a process's memory")
}

// Times are collected while they are on. They are safe for concurrent use.
type times struct {
	mu sync.Mutex
	d  []time.Duration
}

func (t *times) add(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.d = append(t.d, d)
}

// at returns a quantile.
func (t *times) at(q float64) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.d) == 0 {
		return 0
	}
	slices.Sort(t.d)
	return t.d[min(len(t.d)-1, int(q*float64(len(t.d))))]
}

// syncTime measures how long the disk below a folder takes to make a small write durable.
func syncTime(dir string) (p50 time.Duration, err error) {
	f, err := os.CreateTemp(dir, "sync-*")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	var t times
	b := make([]byte, 4096)
	for range 300 {
		began := time.Now()
		if _, err := f.Write(b); err != nil {
			return 0, err
		}
		if err := dataSync(f); err != nil {
			return 0, err
		}
		t.add(time.Since(began))
	}
	return t.at(0.5), nil
}
