package reseal_test

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
	"kmproxy/keys/keystest"
	"kmproxy/keys/manage"
	"kmproxy/keys/memstore"
	"kmproxy/keys/reseal"
	"kmproxy/keys/ring"
)

// populated is an keystest.Office with projects, a key and an item.
func populated(t *testing.T, projects int) keystest.Office {
	t.Helper()
	return populate(t, memstore.New(), projects)
}

func populate(t *testing.T, store keys.Store, projects int) keystest.Office {
	t.Helper()
	o := keystest.OfficeOn(t, store)
	for i := range projects {
		o.AddProject(t, keys.ASPID(fmt.Sprintf("%015d", i)))
	}
	o.AddKey(t, "000000000000000", 0, keys.Active)
	item := manage.Item{Plain: []byte(`{"a": "<b>"}`), Secret: sensitive.New([]byte("secret of the item"))}
	if err := o.CreateItem(t.Context(), keystest.Operator, "thing", item); err != nil {
		t.Fatal(err)
	}
	return o
}

func job(o keystest.Office, to byte, batch int) reseal.Job {
	return reseal.Job{Store: o.Store, From: keystest.MasterKey(1), To: keystest.MasterKey(to), Batch: batch, Now: func() time.Time { return keystest.Morning }}
}

// under is a manager that has another master key.
func under(t *testing.T, o keystest.Office, key byte) keystest.Office {
	t.Helper()
	c := keystest.Config(o.Store)
	c.Master = keystest.MasterKey(key)
	return keystest.Office{Manager: keystest.Must(manage.New(t.Context(), c)), Store: o.Store}
}

// wantSealed wants every record to be sealed under exactly one key, everything
// to open, and the audit record to hold.
func wantSealed(t *testing.T, o keystest.Office, sealedBy byte, projects int) {
	t.Helper()
	snap := o.Load(t)
	for name, e := range snap.Entries {
		if strings.Contains(string(e.Value), `"km1.`) && !strings.Contains(string(e.Value), `"km1.`+keystest.MasterKey(sealedBy).ID()+".") {
			t.Errorf("record %s is sealed under another key", name)
		}
	}
	seal, _, err := keys.ReadSeal(snap)
	if err != nil || seal.KeyID != keystest.MasterKey(sealedBy).ID() || seal.Next != nil {
		t.Errorf("the seal record is %+v, %v", seal, err)
	}
	m := under(t, o, sealedBy)
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
	shown, err := ring.New(snap, keystest.MasterKey(sealedBy), nil)
	if err != nil {
		t.Fatal(err)
	}
	p := keystest.Must(m.Project(t.Context(), "000000000000000"))
	member, _ := shown.ByAccessKey(p.Credentials[0].AccessKey, keystest.Morning)
	if key, ok := member.Active(); !ok || nothing(key.Server()) != nil {
		t.Error("the key's private half is lost")
	}
}

func nothing[T any](_ T, err error) error { return err }

func TestReseal(t *testing.T) {
	o := populated(t, 23)
	before := o.Load(t)
	var told []string
	r := job(o, 2, 10)
	r.Progress = func(done, total int) { told = append(told, fmt.Sprintf("%d/%d", done, total)) }
	n, err := r.Run(t.Context(), keystest.Operator)
	if err != nil || n != 25 { // with the item and the audit chain's key
		t.Fatalf("%d records, %v", n, err)
	}
	if want := []string{"0/25", "10/25", "20/25", "25/25"}; !slices.Equal(told, want) {
		t.Errorf("progress was %q, want %q", told, want)
	}
	if got := o.Load(t).Revision; got != before.Revision+5 {
		t.Errorf("it took %d commits, want 5", got-before.Revision)
	}
	wantSealed(t, o, 2, 23)
	entries := keystest.Must(under(t, o, 2).Audit(t.Context()))
	var actions []string
	for _, e := range entries[len(entries)-5:] {
		actions = append(actions, e.Action)
		if e.Actor != keystest.Operator.Name || e.Target != keystest.MasterKey(2).ID() {
			t.Errorf("the entry is %+v", e)
		}
	}
	if want := []string{"seal rotate begin", "seal rotate", "seal rotate", "seal rotate", "seal rotate end"}; !slices.Equal(actions, want) {
		t.Errorf("audited were %q", actions)
	}
	if _, err := o.Projects(t.Context()); !errors.Is(err, envelope.ErrOtherKey) {
		t.Errorf("the former key: %v", err)
	}
	again, err := r.Run(t.Context(), keystest.Operator)
	if err != nil || again != 25 || o.Load(t).Revision != before.Revision+5 {
		t.Errorf("once more: %d, %v", again, err)
	}
	back := job(o, 1, 0)
	back.From = keystest.MasterKey(2)
	if _, err := back.Run(t.Context(), keystest.Operator); err != nil {
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
			failing := &keystest.StoreWith{Store: o.Store}
			failing.Committing = func(ctx context.Context, base keys.Revision, changes ...keys.Change) (keys.Revision, error) {
				if commits++; commits <= at {
					return o.Store.Commit(ctx, base, changes...)
				}
				if stands {
					keystest.Must(o.Store.Commit(ctx, base, changes...))
				}
				return 0, keystest.ErrDisk
			}
			r := job(o, 2, 10)
			r.Store = failing
			if _, err := r.Run(t.Context(), keystest.Operator); !errors.Is(err, keystest.ErrDisk) {
				t.Fatalf("commit %d: %v", at, err)
			}
			begun := at > 0 || stands
			done := at == 4 && stands
			if begun && !done {
				wantUnderWay(t, o)
			}
			n, err := job(o, 2, 7).Run(t.Context(), keystest.Operator)
			if err != nil || n != 25 {
				t.Fatalf("commit %d, stands: %t: going on: %d, %v", at, stands, n, err)
			}
			wantSealed(t, o, 2, 23)
		}
	}
}

// wantUnderWay wants every act to be refused, and another target too.
func wantUnderWay(t *testing.T, o keystest.Office) {
	t.Helper()
	revision := o.Load(t).Revision
	want := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, keys.ErrResealing) || !strings.Contains(err.Error(), keystest.MasterKey(2).ID()) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, act := range keystest.Acts(o.Manager) {
		want(what, act(t.Context(), keystest.Operator))
	}
	for what, read := range keystest.Reads(o.Manager) {
		want(what, read(t.Context()))
	}
	want("item create", o.CreateItem(t.Context(), keystest.Operator, "other", manage.Item{Plain: []byte(`{}`)}))
	want("a manager", nothing(manage.New(t.Context(), keystest.Config(o.Store))))
	want("a live ring", nothing(ring.Open(t.Context(), o.Store, keystest.MasterKey(1))))
	want("another target", nothing(job(o, 3, 0).Run(t.Context(), keystest.Operator)))
	want("going back", nothing(job(o, 1, 0).Run(t.Context(), keystest.Operator)))
	other := job(o, 2, 0)
	other.From = keystest.MasterKey(2)
	if _, err := other.Run(t.Context(), keystest.Operator); !errors.Is(err, envelope.ErrOtherKey) {
		t.Errorf("without the former key: %v", err)
	}
	if o.Load(t).Revision != revision {
		t.Error("a refusal changed something")
	}
}

func TestResealEndsWithItsContext(t *testing.T) {
	o := populated(t, 23)
	ctx, end := context.WithCancel(t.Context())
	r := job(o, 2, 10)
	r.Progress = func(done, _ int) {
		if done == 10 {
			end()
		}
	}
	_, err := r.Run(ctx, keystest.Operator)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "10 of 25 records are re-sealed; the same command goes on") {
		t.Fatalf("got %v", err)
	}
	wantUnderWay(t, o)
	if _, err := job(o, 2, 0).Run(t.Context(), keystest.Operator); err != nil {
		t.Fatal(err)
	}
	wantSealed(t, o, 2, 23)
}

// TestTwoReseal: two processes that do the same help each other.
func TestTwoReseal(t *testing.T) {
	o := populated(t, 40)
	failed := make(chan error, 4)
	for range cap(failed) {
		go func() { failed <- nothing(job(o, 2, 3).Run(t.Context(), keystest.Operator)) }()
	}
	for range cap(failed) {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	wantSealed(t, o, 2, 40)
}

// TestResealProvesFirst: what was edited or keystest.Put back keystest.Must not be sealed anew.
func TestResealProvesFirst(t *testing.T) {
	name := "project/000000000000001"
	for how, c := range map[string]struct {
		want  error
		spoil func(o keystest.Office)
	}{
		"edited": {keys.ErrDamaged, func(o keystest.Office) {
			value := string(o.Load(t).Entries[name].Value)
			keystest.Put(t, o.Store, name, []byte(strings.Replace(value, `"active"`, `"suspended"`, 1)))
		}},
		"put back": {audit.ErrBroken, func(o keystest.Office) {
			earlier := o.Load(t).Entries[name].Value
			keystest.Must(o.SuspendProject(t.Context(), keystest.Operator, "000000000000001"))
			keystest.Put(t, o.Store, name, earlier)
		}},
		"audit entry edited": {audit.ErrBroken, func(o keystest.Office) {
			value := string(o.Load(t).Entries["audit/000000000002"].Value)
			keystest.Put(t, o.Store, "audit/000000000002", []byte(strings.Replace(value, keystest.Operator.Name, "nobody", 1)))
		}},
		"seal record edited": {audit.ErrBroken, func(o keystest.Office) {
			keystest.Put(t, o.Store, "seal", fmt.Appendf(nil, `{"key_id":%q,"created_at":"2020-01-01T00:00:00Z"}`, keystest.MasterKey(1).ID()))
		}},
		"of a later form": {keys.ErrRefused, func(o keystest.Office) {
			value := string(o.Load(t).Entries[name].Value)
			keystest.Put(t, o.Store, name, []byte(strings.Replace(value, `"plain"`, `"later":1,"plain"`, 1)))
		}},
		"of a later kind": {keys.ErrRefused, func(o keystest.Office) { keystest.Put(t, o.Store, "later/thing", []byte(`{}`)) }},
	} {
		o := populated(t, 3)
		c.spoil(o)
		revision := o.Load(t).Revision
		if _, err := job(o, 2, 0).Run(t.Context(), keystest.Operator); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v", how, err)
		}
		if got := o.Load(t).Revision; got != revision {
			t.Errorf("%s: %d commits were made", how, got-revision)
		}
	}
}

func TestResealWantsAnAuditRecord(t *testing.T) {
	o := keystest.NewOffice(t)
	h := keystest.RecordFor(keystest.Alice)
	keystest.Put(t, o.Store, "seal", fmt.Appendf(nil, `{"key_id":%q}`, keystest.MasterKey(1).ID()))
	keystest.Put(t, o.Store, h.RecordName(), h.Record(1))
	if _, err := job(o, 2, 0).Run(t.Context(), keystest.Operator); !errors.Is(err, keys.ErrDamaged) || !strings.Contains(err.Error(), "audit-key") {
		t.Errorf("without an audit record: %v", err)
	}
}

func TestResealWantsItsParts(t *testing.T) {
	o := keystest.NewOffice(t)
	if _, err := job(o, 2, 0).Run(t.Context(), keystest.Operator); !errors.Is(err, keys.ErrRefused) {
		t.Errorf("an empty store: %v", err)
	}
	o.AddProject(t, keystest.Alice)
	if _, err := job(o, 2, 0).Run(t.Context(), keys.Actor{Name: " "}); err == nil {
		t.Error("nobody asked for it")
	}
	r := job(o, 2, 0)
	r.From = keystest.MasterKey(3)
	if _, err := r.Run(t.Context(), keystest.Operator); !errors.Is(err, envelope.ErrOtherKey) {
		t.Errorf("another former key: %v", err)
	}
	if got := slices.Sorted(maps.Keys(o.Load(t).Entries)); o.Load(t).Revision != 1 {
		t.Errorf("something was written: %q", got)
	}
}

// TestFollowKeepsTheRingOfAResealedStore and says so once; what is wrong besides
// is still told.
func TestFollowKeepsTheRingOfAResealedStore(t *testing.T) {
	keystest.Follow(t, func(t *testing.T, f *keystest.Following) {
		for i := range 9 {
			f.AddProject(t, keys.ASPID(fmt.Sprintf("%015d", i)))
		}
		f.WantShown(t, 10, 0)
		good := f.Ring()
		r := job(f.Office, 2, 4)
		r.Progress = func(int, int) { time.Sleep(3 * time.Second) } // the ring looks again meanwhile
		if _, err := r.Run(t.Context(), keystest.Operator); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		f.WantShown(t, 10, 1)
		if !errors.Is(f.Err(), ring.ErrResealed) || errors.Is(f.Err(), keys.ErrDamaged) || f.Ring() != good {
			t.Errorf("got %v", f.Err())
		}
		keystest.Put(t, f.Store, "seal", []byte(`{}`))
		f.WantShown(t, 10, 2)
		f.WantErr(t, "damaged")
	})
}

// TestFollowComesBack: a store that is brought back under the ring's own key is
// followed again, and is no trouble on its way.
func TestFollowComesBack(t *testing.T) {
	keystest.Follow(t, func(t *testing.T, f *keystest.Following) {
		wait := func(int, int) {
			time.Sleep(3 * time.Second)
			if !errors.Is(f.Err(), ring.ErrResealed) {
				t.Errorf("meanwhile: got %v", f.Err())
			}
		}
		away, back := job(f.Office, 2, 1), job(f.Office, 1, 1)
		away.Progress, back.Progress, back.From = wait, wait, keystest.MasterKey(2)
		for _, r := range []reseal.Job{away, back} {
			if _, err := r.Run(t.Context(), keystest.Operator); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		f.WantShown(t, f.Load(t).Revision, 2) // once for each way
		if f.Err() != nil {
			t.Errorf("got %v", f.Err())
		}
	})
}
