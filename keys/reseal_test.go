package keys_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"kmproxy/crypto/envelope"
	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/keys/audit"
)

// populated is an office with projects, a key and an item.
func populated(t *testing.T, projects int) office {
	t.Helper()
	o := newOffice(t)
	for i := range projects {
		o.addProject(t, keys.ASPID(fmt.Sprintf("%015d", i)))
	}
	o.addKey(t, "000000000000000", 0, keys.Active)
	item := keys.Item{Plain: []byte(`{"a": "<b>"}`), Secret: sensitive.New([]byte("secret of the item"))}
	if err := o.CreateItem(t.Context(), operator, "thing", item); err != nil {
		t.Fatal(err)
	}
	return o
}

func (o office) reseal(to byte, batch int) keys.Reseal {
	return keys.Reseal{Store: o.store, From: masterKey(1), To: masterKey(to), Batch: batch, Now: func() time.Time { return morning }}
}

// under is a manager that has another master key.
func (o office) under(t *testing.T, key byte) office {
	t.Helper()
	c := config(o.store)
	c.Master = masterKey(key)
	return office{must(keys.NewManager(t.Context(), c)), o.store}
}

// wantSealed wants every record to be sealed under exactly one key, everything
// to open, and the audit record to hold.
func wantSealed(t *testing.T, o office, under byte, projects int) {
	t.Helper()
	snap := o.load(t)
	for name, e := range snap.Entries {
		if strings.Contains(string(e.Value), `"km1.`) && !strings.Contains(string(e.Value), `"km1.`+masterKey(under).ID()+".") {
			t.Errorf("record %s is sealed under another key", name)
		}
	}
	seal, _, err := keys.ReadSeal(snap)
	if err != nil || seal.KeyID != masterKey(under).ID() || seal.Next != nil {
		t.Errorf("the seal record is %+v, %v", seal, err)
	}
	m := o.under(t, under)
	if n, err := m.VerifyAudit(t.Context()); err != nil || n == 0 {
		t.Errorf("the audit record: %d entries, %v", n, err)
	}
	if list, err := m.Projects(t.Context()); err != nil || len(list) != projects {
		t.Errorf("%d projects, want %d: %v", len(list), projects, err)
	}
	item, err := m.Item(t.Context(), "thing")
	if err != nil || string(item.Secret.Expose()) != "secret of the item" || string(item.Plain) != `{"a":"<b>"}` {
		t.Errorf("the item is %s, %v", item.Plain, err)
	}
	ring, err := keys.NewRing(snap, masterKey(under), nil)
	if err != nil {
		t.Fatal(err)
	}
	p := must(m.Project(t.Context(), "000000000000000"))
	member, _ := ring.ByAccessKey(p.Credentials[0].AccessKey, morning)
	if key, ok := member.Active(); !ok || nothing(key.Server()) != nil {
		t.Error("the key's private half is lost")
	}
}

func nothing[T any](_ T, err error) error { return err }

func TestReseal(t *testing.T) {
	o := populated(t, 23)
	before := o.load(t)
	var told []string
	r := o.reseal(2, 10)
	r.Progress = func(done, total int) { told = append(told, fmt.Sprintf("%d/%d", done, total)) }
	n, err := r.Run(t.Context(), operator)
	if err != nil || n != 25 { // with the item and the audit chain's key
		t.Fatalf("%d records, %v", n, err)
	}
	if want := []string{"0/25", "10/25", "20/25", "25/25"}; !slices.Equal(told, want) {
		t.Errorf("progress was %q, want %q", told, want)
	}
	if got := o.load(t).Revision; got != before.Revision+5 {
		t.Errorf("it took %d commits, want 5", got-before.Revision)
	}
	wantSealed(t, o, 2, 23)
	entries := must(o.under(t, 2).Audit(t.Context()))
	var actions []string
	for _, e := range entries[len(entries)-5:] {
		actions = append(actions, e.Action)
		if e.Actor != operator.Name || e.Target != masterKey(2).ID() {
			t.Errorf("the entry is %+v", e)
		}
	}
	if want := []string{"seal rotate begin", "seal rotate", "seal rotate", "seal rotate", "seal rotate end"}; !slices.Equal(actions, want) {
		t.Errorf("audited were %q", actions)
	}
	if _, err := o.Projects(t.Context()); !errors.Is(err, envelope.ErrOtherKey) {
		t.Errorf("the former key: %v", err)
	}
	again, err := r.Run(t.Context(), operator)
	if err != nil || again != 25 || o.load(t).Revision != before.Revision+5 {
		t.Errorf("once more: %d, %v", again, err)
	}
	back := o.reseal(1, 0)
	back.From = masterKey(2)
	if _, err := back.Run(t.Context(), operator); err != nil {
		t.Fatal(err)
	}
	wantSealed(t, o, 1, 23)
}

// TestResealFailsAnywhere: whichever commit fails, and whether it stands or not,
// the next run goes on, and nothing else can be done meanwhile.
func TestResealFailsAnywhere(t *testing.T) {
	for at := range 5 {
		for _, stands := range []bool{false, true} {
			o := populated(t, 23)
			commits := 0
			failing := &storeWith{Store: o.store}
			failing.commit = func(ctx context.Context, base keys.Revision, changes ...keys.Change) (keys.Revision, error) {
				if commits++; commits <= at {
					return o.store.Commit(ctx, base, changes...)
				}
				if stands {
					must(o.store.Commit(ctx, base, changes...))
				}
				return 0, errDisk
			}
			r := o.reseal(2, 10)
			r.Store = failing
			if _, err := r.Run(t.Context(), operator); !errors.Is(err, errDisk) {
				t.Fatalf("commit %d: %v", at, err)
			}
			begun := at > 0 || stands
			done := at == 4 && stands
			if begun && !done {
				wantUnderWay(t, o)
			}
			n, err := o.reseal(2, 7).Run(t.Context(), operator)
			if err != nil || n != 25 {
				t.Fatalf("commit %d, stands: %t: going on: %d, %v", at, stands, n, err)
			}
			wantSealed(t, o, 2, 23)
		}
	}
}

// wantUnderWay wants every act to be refused, and another target too.
func wantUnderWay(t *testing.T, o office) {
	t.Helper()
	revision := o.load(t).Revision
	want := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, keys.ErrResealing) || !strings.Contains(err.Error(), masterKey(2).ID()) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, act := range acts(o.Manager) {
		want(what, act(t.Context(), operator))
	}
	for what, read := range reads(o.Manager) {
		want(what, read(t.Context()))
	}
	want("item create", o.CreateItem(t.Context(), operator, "other", keys.Item{Plain: []byte(`{}`)}))
	want("a manager", nothing(keys.NewManager(t.Context(), config(o.store))))
	want("a live ring", nothing(keys.Open(t.Context(), o.store, masterKey(1))))
	want("another target", nothing(o.reseal(3, 0).Run(t.Context(), operator)))
	want("going back", nothing(o.reseal(1, 0).Run(t.Context(), operator)))
	other := o.reseal(2, 0)
	other.From = masterKey(2)
	if _, err := other.Run(t.Context(), operator); !errors.Is(err, envelope.ErrOtherKey) {
		t.Errorf("without the former key: %v", err)
	}
	if o.load(t).Revision != revision {
		t.Error("a refusal changed something")
	}
}

func TestResealEndsWithItsContext(t *testing.T) {
	o := populated(t, 23)
	ctx, end := context.WithCancel(t.Context())
	r := o.reseal(2, 10)
	r.Progress = func(done, _ int) {
		if done == 10 {
			end()
		}
	}
	_, err := r.Run(ctx, operator)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "10 of 25 records are re-sealed; the same command goes on") {
		t.Fatalf("got %v", err)
	}
	wantUnderWay(t, o)
	if _, err := o.reseal(2, 0).Run(t.Context(), operator); err != nil {
		t.Fatal(err)
	}
	wantSealed(t, o, 2, 23)
}

// TestTwoReseal: two processes that do the same help each other.
func TestTwoReseal(t *testing.T) {
	o := populated(t, 40)
	failed := make(chan error, 4)
	for range cap(failed) {
		go func() { failed <- nothing(o.reseal(2, 3).Run(t.Context(), operator)) }()
	}
	for range cap(failed) {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	wantSealed(t, o, 2, 40)
}

// TestResealProvesFirst: what was edited or put back must not be sealed anew.
func TestResealProvesFirst(t *testing.T) {
	name := "project/000000000000001"
	for how, c := range map[string]struct {
		want  error
		spoil func(o office)
	}{
		"edited": {keys.ErrDamaged, func(o office) {
			value := string(o.load(t).Entries[name].Value)
			put(t, o.store, name, []byte(strings.Replace(value, `"active"`, `"suspended"`, 1)))
		}},
		"put back": {audit.ErrBroken, func(o office) {
			earlier := o.load(t).Entries[name].Value
			must(o.SuspendProject(t.Context(), operator, "000000000000001"))
			put(t, o.store, name, earlier)
		}},
		"audit entry edited": {audit.ErrBroken, func(o office) {
			value := string(o.load(t).Entries["audit/000000000002"].Value)
			put(t, o.store, "audit/000000000002", []byte(strings.Replace(value, operator.Name, "nobody", 1)))
		}},
		"seal record edited": {audit.ErrBroken, func(o office) {
			put(t, o.store, "seal", fmt.Appendf(nil, `{"key_id":%q,"created_at":"2020-01-01T00:00:00Z"}`, masterKey(1).ID()))
		}},
		"of a later form": {keys.ErrRefused, func(o office) {
			value := string(o.load(t).Entries[name].Value)
			put(t, o.store, name, []byte(strings.Replace(value, `"plain"`, `"later":1,"plain"`, 1)))
		}},
		"of a later kind": {keys.ErrRefused, func(o office) { put(t, o.store, "later/thing", []byte(`{}`)) }},
	} {
		o := populated(t, 3)
		c.spoil(o)
		revision := o.load(t).Revision
		if _, err := o.reseal(2, 0).Run(t.Context(), operator); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v", how, err)
		}
		if got := o.load(t).Revision; got != revision {
			t.Errorf("%s: %d commits were made", how, got-revision)
		}
	}
}

func TestResealWantsAnAuditRecord(t *testing.T) {
	o := newOffice(t)
	h := hand(alice)
	put(t, o.store, "seal", fmt.Appendf(nil, `{"key_id":%q}`, masterKey(1).ID()))
	put(t, o.store, h.name(), h.record(1))
	if _, err := o.reseal(2, 0).Run(t.Context(), operator); !errors.Is(err, keys.ErrDamaged) || !strings.Contains(err.Error(), "audit-key") {
		t.Errorf("without an audit record: %v", err)
	}
}

func TestResealWantsItsParts(t *testing.T) {
	o := newOffice(t)
	if _, err := o.reseal(2, 0).Run(t.Context(), operator); !errors.Is(err, keys.ErrRefused) {
		t.Errorf("an empty store: %v", err)
	}
	o.addProject(t, alice)
	if _, err := o.reseal(2, 0).Run(t.Context(), keys.Actor{Name: " "}); err == nil {
		t.Error("nobody asked for it")
	}
	r := o.reseal(2, 0)
	r.From = masterKey(3)
	if _, err := r.Run(t.Context(), operator); !errors.Is(err, envelope.ErrOtherKey) {
		t.Errorf("another former key: %v", err)
	}
	if got := slices.Sorted(maps.Keys(o.load(t).Entries)); o.load(t).Revision != 1 {
		t.Errorf("something was written: %q", got)
	}
}

// TestFollowKeepsTheRingOfAResealedStore and says so once; what is wrong besides
// is still told.
func TestFollowKeepsTheRingOfAResealedStore(t *testing.T) {
	follow(t, func(t *testing.T, f *following) {
		for i := range 9 {
			f.addProject(t, keys.ASPID(fmt.Sprintf("%015d", i)))
		}
		f.wantShown(t, 10, 0)
		good := f.Ring()
		r := f.reseal(2, 4)
		r.Progress = func(int, int) { time.Sleep(3 * time.Second) } // the ring looks again meanwhile
		if _, err := r.Run(t.Context(), operator); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		f.wantShown(t, 10, 1)
		if !errors.Is(f.Err(), keys.ErrResealed) || errors.Is(f.Err(), keys.ErrDamaged) || f.Ring() != good {
			t.Errorf("got %v", f.Err())
		}
		put(t, f.store, "seal", []byte(`{}`))
		f.wantShown(t, 10, 2)
		f.wantErr(t, "damaged")
	})
}

// TestFollowComesBack: a store that is brought back under the ring's own key is
// followed again, and is no trouble on its way.
func TestFollowComesBack(t *testing.T) {
	follow(t, func(t *testing.T, f *following) {
		wait := func(int, int) {
			time.Sleep(3 * time.Second)
			if !errors.Is(f.Err(), keys.ErrResealed) {
				t.Errorf("meanwhile: got %v", f.Err())
			}
		}
		away, back := f.reseal(2, 1), f.reseal(1, 1)
		away.Progress, back.Progress, back.From = wait, wait, masterKey(2)
		for _, r := range []keys.Reseal{away, back} {
			if _, err := r.Run(t.Context(), operator); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		f.wantShown(t, f.load(t).Revision, 2) // once for each way
		if f.Err() != nil {
			t.Errorf("got %v", f.Err())
		}
	})
}
