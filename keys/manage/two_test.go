package manage_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"kmproxy/keys/ring"

	"kmproxy/keys"
	"kmproxy/keys/keystest"
)

// stepsASeed keeps a store small enough that its pairs do not run out.
const stepsASeed = 250

// TestTwoProcesses makes acts by chance, allowed ones and others, in two processes
// on one store: MODEL_STEPS of them, 2,000 unless told. After each, all that is
// shown is as in a simple model, and a refusal has its kind.
func TestTwoProcesses(t *testing.T) {
	steps := 2000
	if text := os.Getenv("MODEL_STEPS"); text != "" {
		steps = keystest.Must(strconv.Atoi(text))
	}
	d := &desk{primes: primes()}
	two := twoTest{desk: d, parties: []party{d.do, hire(t)}, seen: map[string]int{}}
	for seed := 0; seed*stepsASeed < steps; seed++ {
		two.run(t, uint64(seed), min(stepsASeed, steps-seed*stepsASeed))
	}
	for _, outcome := range slices.Sorted(maps.Keys(two.seen)) {
		t.Logf("%5d %s", two.seen[outcome], outcome)
	}
	for _, act := range twoActs {
		if two.seen[act+": done"] == 0 {
			t.Errorf("%s was never done", act)
		}
	}
	for _, kind := range []string{"key create: exists", "key create: limit", "key create: refused", "key create: not found", "key rotate: refused",
		"key promote: move", "key promote: refused", "key suspend: move", "key resume: move", "key discard: move", "key discard: in use", "planned end: came"} {
		if two.seen[kind] == 0 {
			t.Errorf("%s never came", kind)
		}
	}
}

var twoActs = []string{"project create", "project suspend", "project resume", "project rotate-secret",
	"key create", "key rotate", "key promote", "key suspend", "key resume", "key discard"}

// twoTest is one run over all seeds.
type twoTest struct {
	desk    *desk // of the first party, which also looks
	parties []party
	seen    map[string]int // how often each act ended in each way
	random  *rand.Rand
	model   *twoModel
	gone    map[keys.KeyID]bool // was discarded once
}

func (w *twoTest) run(t *testing.T, seed uint64, steps int) {
	t.Helper()
	w.random = rand.New(rand.NewPCG(seed, 2))
	w.model = &twoModel{now: keystest.Recorded, projects: map[keys.ASPID]*twoProject{}}
	w.gone = map[keys.KeyID]bool{}
	dir := filepath.Join(t.TempDir(), "store")
	for step := range steps {
		if w.random.IntN(4) == 0 {
			w.model.pass(time.Duration(w.random.IntN(30)) * time.Hour)
		}
		o := w.order()
		o.Dir, o.Now = dir, w.model.now
		who := w.random.IntN(len(w.parties))
		a := w.parties[who](o)
		reasons := w.model.play(o, a)
		if (a.Refusal == "") != (len(reasons) == 0) || a.Refusal != "" && !slices.Contains(reasons, a.Refusal) {
			t.Fatalf("seed %d, step %d: process %d: %+v gave %+v, want one of %q", seed, step, who, o, a, reasons)
		}
		if a.Refusal == "" {
			a.Refusal = "done"
		}
		w.seen[o.Act+": "+a.Refusal]++
		if err := w.desk.turn(o); err != nil {
			t.Fatal(err)
		}
		w.compare(t, fmt.Sprintf("seed %d, step %d, %+v", seed, step, o))
		if step == steps-1 || step%100 == 99 {
			w.verify(t, dir)
		}
	}
	w.seen["planned end: came"] += w.model.ended
}

// compare wants all that is shown to be as the model, and what always holds.
func (w *twoTest) compare(t *testing.T, when string) {
	t.Helper()
	all := keystest.Must(w.desk.Projects(keystest.Background))
	if len(all) != len(w.model.projects) {
		t.Fatalf("%s: %d projects, want %d", when, len(all), len(w.model.projects))
	}
	for _, p := range all {
		want := w.model.projects[p.ASPID]
		var access []twoAccess
		for _, c := range p.Credentials {
			access = append(access, twoAccess{c.AccessKey, c.ExpiresAt})
		}
		same := slices.EqualFunc(p.Keys, want.keys, func(k keys.Key, m twoKey) bool { return k.ID == m.id && k.State == m.state && k.Ends == m.ends })
		if p.Suspended != want.suspended || !slices.Equal(access, want.access) || !same {
			t.Fatalf("%s: project %s is\n%+v, want\n%+v", when, p.ASPID, p, want)
		}
		active := 0
		for _, k := range p.Keys {
			if k.State == keys.Active {
				active++
			}
			if w.gone[k.ID] && k.State != keys.Discarded {
				t.Fatalf("%s: key %s came back", when, k.ID)
			}
			w.gone[k.ID] = k.State == keys.Discarded
		}
		if active > 1 || p.Live() > 2 {
			t.Fatalf("%s: project %s has %d active of %d keys", when, p.ASPID, active, p.Live())
		}
	}
}

// verify wants the audit record to hold in both processes, with one entry for each
// act that was done, and a new Ring to be as the model.
func (w *twoTest) verify(t *testing.T, dir string) {
	t.Helper()
	for who, p := range w.parties {
		if a := p(order{Dir: dir, Now: w.model.now, Act: "verify"}); a.Refusal != "" || a.Entries != w.model.accepted {
			t.Fatalf("process %d: %+v, want %d entries", who, a, w.model.accepted)
		}
	}
	ring := keystest.Must(ring.New(keystest.Must(w.desk.store.Load(keystest.Background)), keystest.MasterKey(1), nil))
	for id, p := range w.model.projects {
		for _, a := range p.access {
			m, ok := ring.ByAccessKey(a.key, w.model.now)
			if ok == w.model.past(a.end) {
				t.Fatalf("access key %s of %s, which ends at %s: found is %v", a.key, id, a.end, ok)
			}
			if !ok {
				continue
			}
			for _, k := range p.keys {
				if got, ok := m.Key(k.id); !ok || got.At(w.model.now).State != k.state || m.Suspended() != p.suspended {
					t.Fatalf("key %s of %s is %v in the ring, want %s", k.id, id, ok, k.state)
				}
			}
		}
	}
}

// order is any act, with more of those that can be done than chance would give.
func (w *twoTest) order() order {
	r := w.random
	o := order{Act: twoActs[r.IntN(len(twoActs))], ASPID: keys.ASPID(fmt.Sprintf("Random%09d", r.IntN(6))),
		Used: r.IntN(3) == 0, Broken: r.IntN(6) == 0, Force: r.IntN(3) == 0,
		Overlap: time.Duration(r.IntN(8)-1) * time.Hour}
	o.Access = keystest.AccessKey(o.ASPID)
	if r.IntN(8) == 0 {
		o.Access = keystest.AccessKey("Random000000000")
	}
	o.Key = keystest.KeyID(r.IntN(pairs))
	switch o.Act {
	case "project create", "project suspend", "project resume", "project rotate-secret":
		o.Key = ""
		return o
	case "key create", "key rotate":
		o.Server = 1 + r.IntN(pairs-1)
		if r.IntN(2) == 0 {
			o.State = keys.State(r.IntN(7))
		}
		if r.IntN(10) == 0 {
			o.Client = r.IntN(pairs)
		}
	default:
		if known := w.known(); len(known) > 0 && r.IntN(10) > 0 {
			o.Key = known[r.IntN(len(known))]
		}
	}
	if r.IntN(2) == 0 {
		o.Ends.Drain = w.model.now.Add(time.Duration(r.IntN(60)-3) * time.Hour)
	}
	if r.IntN(3) == 0 {
		o.Ends.Discard = o.Ends.Drain.Add(time.Duration(r.IntN(40)-3) * time.Hour)
	}
	return o
}

// known are the keys that are not discarded, and a few of the others.
func (w *twoTest) known() (out []keys.KeyID) {
	for _, id := range slices.Sorted(maps.Keys(w.model.projects)) {
		for _, k := range w.model.projects[id].keys {
			if k.state != keys.Discarded || w.random.IntN(4) == 0 {
				out = append(out, k.id)
			}
		}
	}
	return out
}
