package filestore_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/filestore"
	"kmproxy/keys/internal/disk/disktest"
)

// powered is a store on a disk that loses at a power cut what was not synced.
type powered struct {
	root    string // in which the store's folder is made
	left    string // where the disks that power cuts leave are made
	journal *disktest.Journal
	acked   []ack
}

// ack is what was acknowledged when so many changes of the disk were made.
type ack struct {
	ops  int
	what content
}

// content is all that a store holds.
type content struct {
	snap keys.Snapshot
	uses []keys.Use
}

func (c content) same(other content) bool {
	same := maps.EqualFunc(c.snap.Entries, other.snap.Entries, func(a, b keys.Entry) bool {
		return string(a.Value) == string(b.Value) && a.Revision == b.Revision
	})
	return same && c.snap.Revision == other.snap.Revision && slices.Equal(c.uses, other.uses)
}

func (c content) String() string { return fmt.Sprintf("%s uses=%v", show(c.snap), c.uses) }

func newPowered(t *testing.T, j *disktest.Journal) *powered {
	return &powered{root: t.TempDir(), left: t.TempDir(), journal: j, acked: []ack{{}}}
}

// store is a process that opens the store.
func (p *powered) store(t *testing.T) *filestore.Store {
	s := open(t, filepath.Join(p.root, "store"))
	s.SetDisk(p.journal.Disk())
	return s
}

// ack notes that all that the store holds now was acknowledged.
func (p *powered) ack(t *testing.T, s *filestore.Store) {
	t.Helper()
	held, err := holds(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	p.acked = append(p.acked, ack{len(p.journal.Ops), held})
}

func holds(ctx context.Context, s *filestore.Store) (content, error) {
	snap, err := s.Load(ctx)
	if err != nil {
		return content{}, err
	}
	uses, err := s.Uses(ctx)
	return content{snap, uses}, err
}

// commits are each kind of commit: the first, appends, rewrites.
func commits() [][]keys.Change {
	return [][]keys.Change{
		{set("a", `"first, and long enough to lie in several pages"`), set("b", `2`)},
		{set("a", `"second"`)},
		{erase("a", `"third"`)},
		{del("b"), set("c", `4`)},
		{erase("c", `5`)},
	}
}

// TestPowerCuts cuts the power after every change that a series of commits and ledger
// writes makes, and keeps each kind of what was not synced. The store is then as
// before what was in flight, or after it, and lacks nothing that was acknowledged.
func TestPowerCuts(t *testing.T) {
	for name, series := range series() {
		t.Run(name, func(t *testing.T) {
			p := newPowered(t, &disktest.Journal{})
			series(t, p)
			if len(p.journal.Ops) < 20 {
				t.Fatalf("only %d changes were seen", len(p.journal.Ops))
			}
			if err := p.cutEverywhere(t, 0); err != nil {
				t.Error(err)
			}
		})
	}
}

func series() map[string]func(*testing.T, *powered) {
	return map[string]func(*testing.T, *powered){
		"commits": func(t *testing.T, p *powered) {
			s := p.store(t)
			for _, c := range commits() {
				commit(t, s, c...)
				p.ack(t, s)
			}
		},
		"ledgers": func(t *testing.T, p *powered) {
			s := p.store(t)
			l, _ := openLedger(t, s)
			for n := range 3 {
				use := keys.Use{ASPID: "A", KeyID: "k", Direction: "request", Alg: "x", Requests: uint64(n + 1)}
				if err := l.Write([]keys.Use{use}); err != nil {
					t.Fatal(err)
				}
				p.ack(t, s)
				commit(t, s, commits()[n]...)
				p.ack(t, s)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		},
	}
}

// cutEverywhere returns the first trouble that a power cut made from so many changes on.
func (p *powered) cutEverywhere(t *testing.T, from int) error {
	for n := from; n <= len(p.journal.Ops); n++ {
		k := 0
		for k+1 < len(p.acked) && p.acked[k+1].ops <= n {
			k++
		}
		next := min(k+1, len(p.acked)-1)
		if err := p.cut(t, n, p.acked[k].what, p.acked[next].what); err != nil {
			return fmt.Errorf("power cut after %d changes, the last being %v: %w", n, p.describe(n), err)
		}
	}
	return nil
}

func (p *powered) describe(n int) string {
	if n == 0 {
		return "none"
	}
	op := p.journal.Ops[n-1]
	return string(op.Act) + " " + filepath.Base(op.Path)
}

// cut leaves what each choice of the pending things leaves, and wants one of these.
func (p *powered) cut(t *testing.T, n int, allowed ...content) error {
	state := p.journal.After(p.root, n)
	for name, keep := range choices(state.Pending()) {
		dir, err := os.MkdirTemp(p.left, "cut")
		if err != nil {
			return err
		}
		if err := state.Leave(dir, keep); err != nil {
			return err
		}
		got, err := holds(t.Context(), open(t, filepath.Join(dir, "store")))
		if err == nil && !slices.ContainsFunc(allowed, got.same) {
			err = fmt.Errorf("it holds %s, want one of %v", got, allowed)
		}
		if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
			return fmt.Errorf("kept %s of %d that were not synced: %w", name, state.Pending(), err)
		}
	}
	return nil
}

// choices are which of n pending things are kept: every choice of a few; of many none,
// all, one, all but one, and some by chance.
func choices(n int) map[string]func(int) bool {
	some := map[string]func(int) bool{}
	if n <= 4 {
		for bits := range uint64(1) << n {
			some[fmt.Sprintf("the set %b", bits)] = chosen(bits)
		}
		return some
	}
	for seed := range uint64(8) {
		some[fmt.Sprint("by seed ", seed)] = chosen(rand.New(rand.NewPCG(seed, 1)).Uint64())
	}
	some["none"], some["all"] = chosen(0), chosen(math.MaxUint64)
	for one := range n {
		some[fmt.Sprint("only ", one)] = chosen(1 << one)
		some[fmt.Sprint("all but ", one)] = chosen(^(1 << one))
	}
	return some
}

func chosen(bits uint64) func(int) bool { return func(i int) bool { return bits>>(i%64)&1 == 1 } }
