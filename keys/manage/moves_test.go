package manage_test

import (
	"errors"
	"testing"
	"time"

	"kmproxy/keys/ring"

	"kmproxy/keys"
	"kmproxy/keys/keystest"
	"kmproxy/keys/manage"
)

// commands are what can be done to a key, and what the contract's section 4 says
// comes of it; 0: a refusal.
var commands = []struct {
	name string
	do   func(b *keystest.Bench, id keys.KeyID) (keys.Key, error)
	to   map[keys.State]keys.State
}{
	{"promote", func(b *keystest.Bench, id keys.KeyID) (keys.Key, error) {
		return b.PromoteKey(keystest.Background, keystest.Operator, id, keys.Ends{})
	},
		map[keys.State]keys.State{keys.Staged: keys.Active, keys.Suspended: keys.Active}},
	{"suspend", func(b *keystest.Bench, id keys.KeyID) (keys.Key, error) {
		return b.SuspendKey(keystest.Background, keystest.Operator, id)
	},
		map[keys.State]keys.State{keys.Active: keys.Suspended, keys.Draining: keys.Suspended}},
	{"resume", func(b *keystest.Bench, id keys.KeyID) (keys.Key, error) {
		return b.ResumeKey(keystest.Background, keystest.Operator, id)
	},
		map[keys.State]keys.State{keys.Suspended: keys.Draining}},
	{"discard", func(b *keystest.Bench, id keys.KeyID) (keys.Key, error) {
		return b.DiscardKey(keystest.Background, keystest.Operator, id, false)
	},
		map[keys.State]keys.State{keys.Staged: keys.Discarded, keys.Suspended: keys.Discarded}},
	{"discard --force", func(b *keystest.Bench, id keys.KeyID) (keys.Key, error) {
		return b.DiscardKey(keystest.Background, keystest.Operator, id, true)
	},
		map[keys.State]keys.State{keys.Staged: keys.Discarded, keys.Suspended: keys.Discarded}},
}

// in makes a key in a state, by legal moves alone.
func in(t *testing.T, b *keystest.Bench, s keys.State) keys.KeyID {
	t.Helper()
	id := b.AddKey(t, keystest.Alice, 0, min(s, keys.Suspended)).ID
	if s == keys.Discarded {
		keystest.Must(b.DiscardKey(t.Context(), keystest.Operator, id, false))
	}
	return id
}

// TestEveryCommandInEveryState: each pair is a legal move or a refusal with a
// reason that changes nothing.
func TestEveryCommandInEveryState(t *testing.T) {
	pairs := 0
	for _, s := range keystest.States {
		for _, c := range commands {
			pairs++
			b := keystest.NewBench(t)
			id := in(t, b, s)
			before := b.Load(t).Revision
			key, err := c.do(b, id)
			want := c.to[s]
			if want == 0 {
				var move *keys.MoveError
				if !errors.As(err, &move) || move.From != s || err.Error() == "" || b.Load(t).Revision != before || b.States(t)[0] != s {
					t.Errorf("%s of a key that is %s: %v, now %s", c.name, s, err, b.States(t)[0])
				}
				continue
			}
			if err != nil || key.State != want || b.States(t)[0] != want || b.Load(t).Revision != before+1 || !key.Since.Equal(keystest.Recorded) {
				t.Errorf("%s of a key that is %s: %v, now %s since %s, want %s", c.name, s, err, key.State, key.Since, want)
			}
		}
	}
	if pairs != 25 {
		t.Errorf("%d pairs", pairs)
	}
}

func TestPromotionDrainsTheActiveKey(t *testing.T) {
	b := keystest.NewBench(t)
	first, second := b.AddKey(t, keystest.Alice, 0, 0).ID, b.AddKey(t, keystest.Alice, 1, 0).ID
	before := b.Load(t).Revision
	ends := keys.Ends{Drain: keystest.Recorded.Add(time.Hour), Discard: keystest.Recorded.Add(2 * time.Hour)}
	keystest.Must(b.PromoteKey(keystest.Background, keystest.Operator, second, ends))
	all := keystest.Must(b.Keys(keystest.Background, keystest.Alice))
	if b.Load(t).Revision != before+1 || all[0].State != keys.Draining || all[0].Ends != ends || all[1].State != keys.Active {
		t.Errorf("after one commit: %+v", all)
	}
	if len(b.Proven) != 1 {
		t.Errorf("%d proofs", len(b.Proven))
	}
	if _, err := b.PromoteKey(keystest.Background, keystest.Operator, first, keys.Ends{}); err == nil {
		t.Error("a draining key was promoted")
	}
}

func TestPromotionIsProven(t *testing.T) {
	b := keystest.NewBench(t)
	b.AddKey(t, keystest.Alice, 0, 0)
	second := b.AddKey(t, keystest.Alice, 1, 0).ID
	b.Refuse = errors.New("the canary died")
	before := b.Load(t).Revision
	if _, err := b.PromoteKey(keystest.Background, keystest.Operator, second, keys.Ends{}); !errors.Is(err, keys.ErrRefused) || !errors.Is(err, b.Refuse) {
		t.Errorf("got %v", err)
	}
	if _, err := b.RotateKey(keystest.Background, keystest.Operator, keystest.NewKey(keystest.Alice, 2, 0), keys.Ends{}); !errors.Is(err, b.Refuse) {
		t.Errorf("got %v", err)
	}
	if b.Load(t).Revision != before || len(b.States(t)) != 2 {
		t.Error("a key that was not proven changed the store")
	}
	if _, err := keystest.NewOffice(t).PromoteKey(keystest.Background, keystest.Operator, second, keys.Ends{}); err == nil {
		t.Error("promoted without a proof")
	}
}

func TestRotate(t *testing.T) {
	b := keystest.NewBench(t)
	first := b.AddKey(t, keystest.Alice, 0, 0).ID
	before := b.Load(t).Revision
	key := keystest.Must(b.RotateKey(keystest.Background, keystest.Operator, keystest.NewKey(keystest.Alice, 1, 0), keys.Ends{}))
	if key.State != keys.Active || keystest.Must(b.Key(keystest.Background, first)).State != keys.Draining || b.Load(t).Revision != before+1 {
		t.Errorf("got %+v", b.States(t))
	}
}

// TestEndsComeByTheClock: in what is read, and in a Ring that was built before.
func TestEndsComeByTheClock(t *testing.T) {
	b := keystest.NewBench(t)
	first := b.AddKey(t, keystest.Alice, 0, 0).ID
	drain, discard := keystest.Recorded.Add(time.Hour), keystest.Recorded.Add(2*time.Hour)
	keystest.Must(b.RotateKey(keystest.Background, keystest.Operator, keystest.NewKey(keystest.Alice, 1, 0), keys.Ends{Drain: drain, Discard: discard}))
	ring := keystest.Must(ring.New(b.Load(t), keystest.MasterKey(1), nil))
	issued := keystest.Must(b.Project(keystest.Background, keystest.Alice)).Credentials[0].AccessKey
	member, _ := ring.ByAccessKey(issued, keystest.Morning)
	inRing, _ := member.Key(first)
	for _, at := range []struct {
		now   time.Time
		state keys.State
		since time.Time
	}{
		{drain.Add(-time.Second), keys.Draining, keystest.Recorded}, {drain, keys.Suspended, drain},
		{discard.Add(-time.Second), keys.Suspended, drain}, {discard, keys.Discarded, discard},
	} {
		b.Now = at.now
		if k := keystest.Must(b.Key(keystest.Background, first)); k.State != at.state || !k.Since.Equal(at.since) {
			t.Errorf("at %s it is %s since %s", at.now, k.State, k.Since)
		}
		if k := inRing.At(at.now); k.State != at.state {
			t.Errorf("at %s it is %s in the ring", at.now, k.State)
		}
	}
	if _, err := b.ResumeKey(keystest.Background, keystest.Operator, first); err == nil {
		t.Error("a key came back after its end")
	}
	keystest.Must(b.SuspendProject(keystest.Background, keystest.Operator, keystest.Alice))
	keystest.Must(b.RotateKey(keystest.Background, keystest.Operator, keystest.NewKey(keystest.Alice, 2, 0), keys.Ends{})) // the next change writes the end down
	if err := verified(t, b); err != nil {
		t.Error(err)
	}
}

// VerifyAuditOK is VerifyAudit without the count.
func verified(t *testing.T, b *keystest.Bench) error {
	t.Helper()
	_, err := b.VerifyAudit(keystest.Background)
	return err
}

func TestEndsMakeSense(t *testing.T) {
	at := func(h int) time.Time { return keystest.Recorded.Add(time.Duration(h) * time.Hour) }
	for _, ends := range []keys.Ends{{Drain: at(-1)}, {Drain: at(0)}, {Discard: at(1)}, {Drain: at(2), Discard: at(1)}, {Drain: at(2), Discard: at(2)}} {
		b := keystest.NewBench(t)
		b.AddKey(t, keystest.Alice, 0, 0)
		if _, err := b.RotateKey(keystest.Background, keystest.Operator, keystest.NewKey(keystest.Alice, 1, 0), ends); !errors.Is(err, keys.ErrRefused) {
			t.Errorf("%+v: %v", ends, err)
		}
	}
}

func TestMovesForgetPlans(t *testing.T) {
	b := keystest.NewBench(t)
	first := b.AddKey(t, keystest.Alice, 0, 0).ID
	keystest.Must(b.RotateKey(keystest.Background, keystest.Operator, keystest.NewKey(keystest.Alice, 1, 0), keys.Ends{Drain: keystest.Recorded.Add(time.Hour), Discard: keystest.Recorded.Add(2 * time.Hour)}))
	keystest.Must(b.SuspendKey(keystest.Background, keystest.Operator, first))
	keystest.Must(b.ResumeKey(keystest.Background, keystest.Operator, first))
	b.Now = keystest.Morning.Add(1000 * time.Hour)
	if k := keystest.Must(b.Key(keystest.Background, first)); k.State != keys.Draining || k.Ends != (keys.Ends{}) {
		t.Errorf("got %+v", k)
	}
}

func TestDiscardIsRefusedInUse(t *testing.T) {
	b := keystest.NewBench(t)
	id := b.AddKey(t, keystest.Alice, 0, keys.Suspended).ID
	b.Used = []keys.Use{{ASPID: keystest.Alice, KeyID: id, Direction: "request", Alg: "RSA-OAEP-256+A256GCM", Requests: 3, LastUsed: keystest.Recorded.Add(-time.Hour)}}
	_, err := b.DiscardKey(keystest.Background, keystest.Operator, id, false)
	var inUse *manage.InUseError
	if !errors.As(err, &inUse) || len(inUse.By) != 1 || inUse.By[0].ASPID != keystest.Alice {
		t.Fatalf("got %v", err)
	}
	b.Used[0].LastUsed = keystest.Recorded.Add(-168 * time.Hour)
	keystest.Must(b.DiscardKey(keystest.Background, keystest.Operator, id, false))
	other := b.AddKey(t, keystest.Alice, 1, keys.Suspended).ID
	b.Used = []keys.Use{{ASPID: keystest.Alice, KeyID: other, LastUsed: keystest.Recorded}}
	keystest.Must(b.DiscardKey(keystest.Background, keystest.Operator, other, true))
	for _, again := range []manage.NewKey{keystest.NewKey(keystest.Alice, 0, 0), {ID: keystest.KeyID(5), ASPID: keystest.Alice, Server: keystest.ServerKey(0), Client: keystest.ClientKey()}} {
		if _, err := b.CreateKey(keystest.Background, keystest.Operator, again); !errors.Is(err, keys.ErrExists) {
			t.Errorf("a discarded key came back: %v", err)
		}
	}
}

func TestRotateSecret(t *testing.T) {
	b := keystest.NewBench(t)
	first := keystest.Must(b.Project(keystest.Background, keystest.Alice)).Credentials[0].AccessKey
	second := keystest.Must(b.RotateSecret(keystest.Background, keystest.Operator, keystest.Alice, time.Hour))
	works := func(k keys.AccessKey, at time.Time) bool {
		_, ok := keystest.Must(ring.New(b.Load(t), keystest.MasterKey(1), nil)).ByAccessKey(k, at)
		return ok
	}
	if !works(first, keystest.Morning) || !works(second.AccessKey, keystest.Morning) || works(first, keystest.Recorded.Add(time.Hour)) || !works(second.AccessKey, keystest.Recorded.Add(time.Hour)) {
		t.Error("the overlap is not an hour")
	}
	b.Now = keystest.Morning.Add(2 * time.Hour)
	third := keystest.Must(b.RotateSecret(keystest.Background, keystest.Operator, keystest.Alice, 0))
	if works(first, b.Now) || works(second.AccessKey, b.Now) || !works(third.AccessKey, b.Now) {
		t.Error("without an overlap the pair before works on")
	}
	if n := len(keystest.Must(b.Project(keystest.Background, keystest.Alice)).Credentials); n != 1 {
		t.Errorf("%d pairs are left", n)
	}
	if _, err := b.RotateSecret(keystest.Background, keystest.Operator, keystest.Alice, -time.Second); !errors.Is(err, keys.ErrRefused) {
		t.Errorf("got %v", err)
	}
}

// TestEndedSecretsLeaveTheDisk: with the next change of their project, whatever it
// is; a key's private half also when that key is told to go.
func TestEndedSecretsLeaveTheDisk(t *testing.T) {
	for name, act := range map[string]func(b *keystest.Bench, ended keys.KeyID) error{
		"another change": func(b *keystest.Bench, _ keys.KeyID) error {
			_, err := b.SuspendProject(keystest.Background, keystest.Operator, keystest.Alice)
			return err
		},
		"discard": func(b *keystest.Bench, ended keys.KeyID) error {
			_, err := b.DiscardKey(keystest.Background, keystest.Operator, ended, false)
			return err
		},
	} {
		b := keystest.NewBench(t)
		first := b.AddKey(t, keystest.Alice, 0, 0).ID
		keystest.Must(b.RotateKey(keystest.Background, keystest.Operator, keystest.NewKey(keystest.Alice, 1, 0), keys.Ends{Drain: keystest.Recorded.Add(time.Hour), Discard: keystest.Recorded.Add(2 * time.Hour)}))
		keystest.Must(b.RotateSecret(keystest.Background, keystest.Operator, keystest.Alice, time.Hour))
		b.Now = keystest.Morning.Add(3 * time.Hour)
		before := len(parsed(t, b.Office, "project/"+string(keystest.Alice)).Sealed)
		if err := act(b, first); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if p := keystest.Must(b.Project(keystest.Background, keystest.Alice)); len(p.Credentials) != 1 || p.Keys[0].State != keys.Discarded {
			t.Errorf("%s: got %+v", name, p)
		}
		if after := len(parsed(t, b.Office, "project/"+string(keystest.Alice)).Sealed); after > before-1600 { // a 2048-bit half in base64, sealed
			t.Errorf("%s: the sealed part had %d bytes and has %d", name, before, after)
		}
		if _, err := b.DiscardKey(keystest.Background, keystest.Operator, first, false); err == nil {
			t.Errorf("%s: discarded twice", name)
		}
	}
}

func TestSafeToDiscard(t *testing.T) {
	b := keystest.NewBench(t)
	b.AddKey(t, keystest.Alice, 0, 0)
	keystest.Must(b.RotateKey(keystest.Background, keystest.Operator, keystest.NewKey(keystest.Alice, 1, 0), keys.Ends{}))
	all := keystest.Must(b.Keys(keystest.Background, keystest.Alice))
	use := []keys.Use{{ASPID: keystest.Alice, KeyID: all[0].ID, LastUsed: keystest.Recorded.Add(-time.Hour)}}
	if b.SafeToDiscard(all[1], nil).Safe || b.SafeToDiscard(all[0], use).Safe || !b.SafeToDiscard(all[0], nil).Safe {
		t.Error("a wrong verdict")
	}
	use[0].LastUsed = keystest.Recorded.Add(-200 * time.Hour)
	if p := b.SafeToDiscard(all[0], use); !p.Safe || p.Why == "" {
		t.Errorf("got %+v", p)
	}
}
