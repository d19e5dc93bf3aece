package replay

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// former is a file of a process before this one, or beside it.
type former struct {
	path string
	slot int
	size int64
	last time.Time // of its claims that still count; zero: none does
}

// load reads every file in the folder, the newest first, so that the oldest is
// what a memory that is too small forgets.
func (k *keeper) load() error {
	paths, err := filepath.Glob(filepath.Join(k.dir, "*"+suffix))
	if err != nil {
		return err
	}
	slices.SortFunc(paths, func(a, b string) int { return strings.Compare(serialOf(b), serialOf(a)) })
	slots := map[int][]string{}
	for _, path := range paths {
		if n, ok := slotOf(path); ok {
			slots[n] = append(slots[n], path)
			k.serial.Store(max(k.serial.Load(), serialNumber(path))) // the clock may have been set back
		}
	}
	for n, paths := range slots {
		freed := k.released(paths)
		for _, path := range paths {
			if f := k.restore(path, n, freed); f.last.IsZero() {
				k.discard(f)
			} else {
				k.formers = append(k.formers, f)
			}
		}
	}
	return nil
}

func serialOf(path string) string {
	_, serial, _ := strings.Cut(filepath.Base(path), "-")
	return serial
}

func serialNumber(path string) int64 {
	n, _ := strconv.ParseInt(strings.TrimSuffix(serialOf(path), suffix), 16, 64)
	return min(n, math.MaxInt64/2) // a strange one is none of ours
}

// most records in a file: claims and releases, each of which has a claim, as many
// of both as are written before the file is rewritten.
func (k *keeper) most() int { return 4*k.memory.limits.Entries + 1<<20 }

// claim is what a release in the files of one slot takes back.
type claim struct {
	entry entry
	at    int64
}

// released are the claims in files that were taken back. Errors of a file
// are reported when its claims are read.
func (k *keeper) released(paths []string) map[claim]bool {
	all := map[claim]bool{}
	for _, path := range paths {
		_, _ = read(path, k.most(), func(r record) bool {
			if r.kind == released {
				all[claim{r.entry, r.at}] = true
			}
			return len(all) < k.memory.limits.Entries
		})
	}
	return all
}

// restore puts the claims of a file into the memory.
func (k *keeper) restore(path string, slot int, freed map[claim]bool) former {
	m, f, now := k.memory, former{path: path, slot: slot}, k.now()
	if about, err := os.Stat(path); err == nil {
		f.size = about.Size() // what is appended later was not read
	}
	full := false
	damaged, err := read(path, k.most(), func(r record) bool {
		at := time.UnixMilli(r.at)
		if r.kind != claimed || now.Sub(at) >= m.window || freed[claim{r.entry, r.at}] {
			return true
		}
		if f.last.Before(at) {
			f.last = at
		}
		m.mu.Lock()
		full = !m.restore(r.entry, at, now)
		m.mu.Unlock()
		return !full
	})
	k.tellRead(path, damaged, full, err)
	if f.last.After(now) || f.last.IsZero() && (err != nil || damaged > 0) {
		f.last = now // it is kept for a window
	}
	return f
}

func (k *keeper) tellRead(path string, damaged int, full bool, err error) {
	if err != nil {
		k.log.Error("a file of the replay memory cannot be read: requests in it may be processed again", "file", path, "error", err)
	}
	if damaged > 0 {
		k.log.Error("a file of the replay memory is damaged: its other records are used", "file", path, "damaged", damaged)
	}
	if full {
		k.log.Error("the replay memory is too small for what was processed before: the oldest is forgotten",
			"setting", "limits.replay_requests", "error", fmt.Errorf("reading %s: %w", path, ErrFull))
	}
}
