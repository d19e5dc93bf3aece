package keys_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"kmproxy/crypto/jwk"
	"kmproxy/keys"
	"kmproxy/keys/memstore"
)

// bench is an office whose clock, proofs and uses a test decides on.
type bench struct {
	office
	now    time.Time
	proven []string
	refuse error
	uses   []keys.Use
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{now: morning}
	c := config(memstore.New())
	c.Now = func() time.Time { return b.now }
	c.Quiet = 168 * time.Hour
	c.MaxPerProject = 9
	c.Usage = func(context.Context) ([]keys.Use, error) { return b.uses, nil }
	c.Prove = func(server jwk.Private, _ jwk.Public) error {
		b.proven = append(b.proven, server.Public().Thumbprint())
		return b.refuse
	}
	b.office = office{must(keys.NewManager(t.Context(), c)), c.Store}
	b.addProject(t, alice)
	return b
}

func (b *bench) states(t *testing.T) []keys.State {
	t.Helper()
	var out []keys.State
	for _, k := range must(b.Keys(t.Context(), alice)) {
		out = append(out, k.State)
	}
	return out
}

// commands are what can be done to a key, and what the contract's section 4 says
// comes of it; 0: a refusal.
var commands = []struct {
	name string
	do   func(b *bench, id keys.KeyID) (keys.Key, error)
	to   map[keys.State]keys.State
}{
	{"promote", func(b *bench, id keys.KeyID) (keys.Key, error) { return b.PromoteKey(bg, operator, id, keys.Ends{}) },
		map[keys.State]keys.State{keys.Staged: keys.Active, keys.Suspended: keys.Active}},
	{"suspend", func(b *bench, id keys.KeyID) (keys.Key, error) { return b.SuspendKey(bg, operator, id) },
		map[keys.State]keys.State{keys.Active: keys.Suspended, keys.Draining: keys.Suspended}},
	{"resume", func(b *bench, id keys.KeyID) (keys.Key, error) { return b.ResumeKey(bg, operator, id) },
		map[keys.State]keys.State{keys.Suspended: keys.Draining}},
	{"discard", func(b *bench, id keys.KeyID) (keys.Key, error) { return b.DiscardKey(bg, operator, id, false) },
		map[keys.State]keys.State{keys.Staged: keys.Discarded, keys.Suspended: keys.Discarded}},
	{"discard --force", func(b *bench, id keys.KeyID) (keys.Key, error) { return b.DiscardKey(bg, operator, id, true) },
		map[keys.State]keys.State{keys.Staged: keys.Discarded, keys.Suspended: keys.Discarded}},
}

// in makes a key in a state, by legal moves alone.
func (b *bench) in(t *testing.T, s keys.State) keys.KeyID {
	t.Helper()
	id := b.addKey(t, alice, 0, min(s, keys.Suspended)).ID
	if s == keys.Discarded {
		must(b.DiscardKey(t.Context(), operator, id, false))
	}
	return id
}

// TestEveryCommandInEveryState: each pair is a legal move or a refusal with a
// reason that changes nothing.
func TestEveryCommandInEveryState(t *testing.T) {
	pairs := 0
	for _, s := range states {
		for _, c := range commands {
			pairs++
			b := newBench(t)
			id := b.in(t, s)
			before := b.load(t).Revision
			key, err := c.do(b, id)
			want := c.to[s]
			if want == 0 {
				var move *keys.MoveError
				if !errors.As(err, &move) || move.From != s || err.Error() == "" || b.load(t).Revision != before || b.states(t)[0] != s {
					t.Errorf("%s of a key that is %s: %v, now %s", c.name, s, err, b.states(t)[0])
				}
				continue
			}
			if err != nil || key.State != want || b.states(t)[0] != want || b.load(t).Revision != before+1 || !key.Since.Equal(recorded) {
				t.Errorf("%s of a key that is %s: %v, now %s since %s, want %s", c.name, s, err, key.State, key.Since, want)
			}
		}
	}
	if pairs != 25 {
		t.Errorf("%d pairs", pairs)
	}
}

func TestPromotionDrainsTheActiveKey(t *testing.T) {
	b := newBench(t)
	first, second := b.addKey(t, alice, 0, 0).ID, b.addKey(t, alice, 1, 0).ID
	before := b.load(t).Revision
	ends := keys.Ends{Drain: recorded.Add(time.Hour), Discard: recorded.Add(2 * time.Hour)}
	must(b.PromoteKey(bg, operator, second, ends))
	all := must(b.Keys(bg, alice))
	if b.load(t).Revision != before+1 || all[0].State != keys.Draining || all[0].Ends != ends || all[1].State != keys.Active {
		t.Errorf("after one commit: %+v", all)
	}
	if len(b.proven) != 1 {
		t.Errorf("%d proofs", len(b.proven))
	}
	if _, err := b.PromoteKey(bg, operator, first, keys.Ends{}); err == nil {
		t.Error("a draining key was promoted")
	}
}

func TestPromotionIsProven(t *testing.T) {
	b := newBench(t)
	b.addKey(t, alice, 0, 0)
	second := b.addKey(t, alice, 1, 0).ID
	b.refuse = errors.New("the canary died")
	before := b.load(t).Revision
	if _, err := b.PromoteKey(bg, operator, second, keys.Ends{}); !errors.Is(err, keys.ErrRefused) || !errors.Is(err, b.refuse) {
		t.Errorf("got %v", err)
	}
	if _, err := b.RotateKey(bg, operator, newKey(alice, 2, 0), keys.Ends{}); !errors.Is(err, b.refuse) {
		t.Errorf("got %v", err)
	}
	if b.load(t).Revision != before || len(b.states(t)) != 2 {
		t.Error("a key that was not proven changed the store")
	}
	if _, err := newOffice(t).PromoteKey(bg, operator, second, keys.Ends{}); err == nil {
		t.Error("promoted without a proof")
	}
}

func TestRotate(t *testing.T) {
	b := newBench(t)
	first := b.addKey(t, alice, 0, 0).ID
	before := b.load(t).Revision
	key := must(b.RotateKey(bg, operator, newKey(alice, 1, 0), keys.Ends{}))
	if key.State != keys.Active || must(b.Key(bg, first)).State != keys.Draining || b.load(t).Revision != before+1 {
		t.Errorf("got %+v", b.states(t))
	}
}

// TestEndsComeByTheClock: in what is read, and in a Ring that was built before.
func TestEndsComeByTheClock(t *testing.T) {
	b := newBench(t)
	first := b.addKey(t, alice, 0, 0).ID
	drain, discard := recorded.Add(time.Hour), recorded.Add(2*time.Hour)
	must(b.RotateKey(bg, operator, newKey(alice, 1, 0), keys.Ends{Drain: drain, Discard: discard}))
	ring := must(keys.NewRing(b.load(t), masterKey(1), nil))
	issued := must(b.Project(bg, alice)).Credentials[0].AccessKey
	member, _ := ring.ByAccessKey(issued, morning)
	inRing, _ := member.Key(first)
	for _, at := range []struct {
		now   time.Time
		state keys.State
		since time.Time
	}{
		{drain.Add(-time.Second), keys.Draining, recorded}, {drain, keys.Suspended, drain},
		{discard.Add(-time.Second), keys.Suspended, drain}, {discard, keys.Discarded, discard},
	} {
		b.now = at.now
		if k := must(b.Key(bg, first)); k.State != at.state || !k.Since.Equal(at.since) {
			t.Errorf("at %s it is %s since %s", at.now, k.State, k.Since)
		}
		if k := inRing.At(at.now); k.State != at.state {
			t.Errorf("at %s it is %s in the ring", at.now, k.State)
		}
	}
	if _, err := b.ResumeKey(bg, operator, first); err == nil {
		t.Error("a key came back after its end")
	}
	must(b.SuspendProject(bg, operator, alice))
	must(b.RotateKey(bg, operator, newKey(alice, 2, 0), keys.Ends{})) // the next change writes the end down
	if err := b.VerifyAuditOK(t); err != nil {
		t.Error(err)
	}
}

// VerifyAuditOK is VerifyAudit without the count.
func (b *bench) VerifyAuditOK(t *testing.T) error {
	t.Helper()
	_, err := b.VerifyAudit(bg)
	return err
}

func TestEndsMakeSense(t *testing.T) {
	at := func(h int) time.Time { return recorded.Add(time.Duration(h) * time.Hour) }
	for _, ends := range []keys.Ends{{Drain: at(-1)}, {Drain: at(0)}, {Discard: at(1)}, {Drain: at(2), Discard: at(1)}, {Drain: at(2), Discard: at(2)}} {
		b := newBench(t)
		b.addKey(t, alice, 0, 0)
		if _, err := b.RotateKey(bg, operator, newKey(alice, 1, 0), ends); !errors.Is(err, keys.ErrRefused) {
			t.Errorf("%+v: %v", ends, err)
		}
	}
}

func TestMovesForgetPlans(t *testing.T) {
	b := newBench(t)
	first := b.addKey(t, alice, 0, 0).ID
	must(b.RotateKey(bg, operator, newKey(alice, 1, 0), keys.Ends{Drain: recorded.Add(time.Hour), Discard: recorded.Add(2 * time.Hour)}))
	must(b.SuspendKey(bg, operator, first))
	must(b.ResumeKey(bg, operator, first))
	b.now = morning.Add(1000 * time.Hour)
	if k := must(b.Key(bg, first)); k.State != keys.Draining || k.Ends != (keys.Ends{}) {
		t.Errorf("got %+v", k)
	}
}

func TestDiscardIsRefusedInUse(t *testing.T) {
	b := newBench(t)
	id := b.addKey(t, alice, 0, keys.Suspended).ID
	b.uses = []keys.Use{{ASPID: alice, KeyID: id, Direction: "request", Alg: "RSA-OAEP-256+A256GCM", Requests: 3, LastUsed: recorded.Add(-time.Hour)}}
	_, err := b.DiscardKey(bg, operator, id, false)
	var inUse *keys.InUseError
	if !errors.As(err, &inUse) || len(inUse.By) != 1 || inUse.By[0].ASPID != alice {
		t.Fatalf("got %v", err)
	}
	b.uses[0].LastUsed = recorded.Add(-168 * time.Hour)
	must(b.DiscardKey(bg, operator, id, false))
	other := b.addKey(t, alice, 1, keys.Suspended).ID
	b.uses = []keys.Use{{ASPID: alice, KeyID: other, LastUsed: recorded}}
	must(b.DiscardKey(bg, operator, other, true))
	for _, again := range []keys.NewKey{newKey(alice, 0, 0), {ID: keyID(5), ASPID: alice, Server: serverKey(0), Client: clientKey()}} {
		if _, err := b.CreateKey(bg, operator, again); !errors.Is(err, keys.ErrExists) {
			t.Errorf("a discarded key came back: %v", err)
		}
	}
}

func TestRotateSecret(t *testing.T) {
	b := newBench(t)
	first := must(b.Project(bg, alice)).Credentials[0].AccessKey
	second := must(b.RotateSecret(bg, operator, alice, time.Hour))
	works := func(k keys.AccessKey, at time.Time) bool {
		_, ok := must(keys.NewRing(b.load(t), masterKey(1), nil)).ByAccessKey(k, at)
		return ok
	}
	if !works(first, morning) || !works(second.AccessKey, morning) || works(first, recorded.Add(time.Hour)) || !works(second.AccessKey, recorded.Add(time.Hour)) {
		t.Error("the overlap is not an hour")
	}
	b.now = morning.Add(2 * time.Hour)
	third := must(b.RotateSecret(bg, operator, alice, 0))
	if works(first, b.now) || works(second.AccessKey, b.now) || !works(third.AccessKey, b.now) {
		t.Error("without an overlap the pair before works on")
	}
	if n := len(must(b.Project(bg, alice)).Credentials); n != 1 {
		t.Errorf("%d pairs are left", n)
	}
	if _, err := b.RotateSecret(bg, operator, alice, -time.Second); !errors.Is(err, keys.ErrRefused) {
		t.Errorf("got %v", err)
	}
}

// TestEndedSecretsLeaveTheDisk: with the next change of their project, whatever it
// is; a key's private half also when that key is told to go.
func TestEndedSecretsLeaveTheDisk(t *testing.T) {
	for name, act := range map[string]func(b *bench, ended keys.KeyID) error{
		"another change": func(b *bench, _ keys.KeyID) error {
			_, err := b.SuspendProject(bg, operator, alice)
			return err
		},
		"discard": func(b *bench, ended keys.KeyID) error {
			_, err := b.DiscardKey(bg, operator, ended, false)
			return err
		},
	} {
		b := newBench(t)
		first := b.addKey(t, alice, 0, 0).ID
		must(b.RotateKey(bg, operator, newKey(alice, 1, 0), keys.Ends{Drain: recorded.Add(time.Hour), Discard: recorded.Add(2 * time.Hour)}))
		must(b.RotateSecret(bg, operator, alice, time.Hour))
		b.now = morning.Add(3 * time.Hour)
		before := len(parsed(t, b.office, "project/"+string(alice)).Sealed)
		if err := act(b, first); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if p := must(b.Project(bg, alice)); len(p.Credentials) != 1 || p.Keys[0].State != keys.Discarded {
			t.Errorf("%s: got %+v", name, p)
		}
		if after := len(parsed(t, b.office, "project/"+string(alice)).Sealed); after > before-1600 { // a 2048-bit half in base64, sealed
			t.Errorf("%s: the sealed part had %d bytes and has %d", name, before, after)
		}
		if _, err := b.DiscardKey(bg, operator, first, false); err == nil {
			t.Errorf("%s: discarded twice", name)
		}
	}
}

func TestPartWith(t *testing.T) {
	b := newBench(t)
	b.addKey(t, alice, 0, 0)
	must(b.RotateKey(bg, operator, newKey(alice, 1, 0), keys.Ends{}))
	all := must(b.Keys(bg, alice))
	use := []keys.Use{{ASPID: alice, KeyID: all[0].ID, LastUsed: recorded.Add(-time.Hour)}}
	if b.PartWith(all[1], nil).Safe || b.PartWith(all[0], use).Safe || !b.PartWith(all[0], nil).Safe {
		t.Error("a wrong verdict")
	}
	use[0].LastUsed = recorded.Add(-200 * time.Hour)
	if p := b.PartWith(all[0], use); !p.Safe || p.Why == "" {
		t.Errorf("got %+v", p)
	}
}
