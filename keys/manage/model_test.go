package manage_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kmproxy/keys/ring"

	"kmproxy/keys"
	"kmproxy/keys/keystest"
	"kmproxy/keys/manage"
)

// model is what a store should hold, said as simply as possible. Of the states a
// key can be in, discarded is tried in TestLimit and TestKeyIsKnown.
type model struct {
	random   *rand.Rand
	projects map[keys.ASPID]*modelProject
	accepted int
}

type modelProject struct {
	suspended bool
	access    keys.AccessKey
	keys      []modelKey
}

type modelKey struct {
	id             keys.KeyID
	state          keys.State
	server, client int // of keystest.RsaKeys
}

// TestRandomActs makes acts by chance, allowed ones and others, and compares all
// that is shown with the model after each.
func TestRandomActs(t *testing.T) {
	accepted := 0
	for seed := range uint64(60) {
		m := &model{random: rand.New(rand.NewPCG(seed, 1)), projects: map[keys.ASPID]*modelProject{}}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { m.run(t) })
		accepted += m.accepted
	}
	if accepted < 300 {
		t.Errorf("only %d acts were accepted", accepted)
	}
}

func (m *model) run(t *testing.T) {
	o := keystest.NewOffice(t)
	for range 30 {
		before := o.Load(t).Revision
		name, violated, err := m.act(o)
		wanted := slices.ContainsFunc(violated, func(rule error) bool { return errors.Is(err, rule) })
		if (err == nil) != (len(violated) == 0) || err != nil && !wanted {
			t.Fatalf("%s: got %v, want one of %v", name, err, violated)
		}
		after := before
		if err == nil {
			m.accepted++
			after++
		}
		if now := o.Load(t).Revision; now != after {
			t.Fatalf("%s: revision %d became %d, want %d (%v)", name, before, now, after, err)
		}
		m.compare(t, o)
		wantSound(t, o)
	}
}

// act makes one act on the store, and on the model if it violates no rule.
func (m *model) act(o keystest.Office) (name string, violated []error, err error) {
	switch m.random.IntN(6) {
	case 0, 1:
		return m.createProject(o)
	case 2:
		return m.suspend(o)
	default:
		return m.createKey(o)
	}
}

func (m *model) aspID() keys.ASPID { return keys.ASPID(fmt.Sprintf("Random%09d", m.random.IntN(4))) }

func (m *model) createProject(o keystest.Office) (string, []error, error) {
	id, access := m.aspID(), keystest.AccessKey(m.aspID())
	_, err := o.CreateProject(keystest.Background, keystest.Operator, manage.NewProject{ASPID: id, AccessKey: access})
	for known, p := range m.projects {
		if known == id || p.access == access {
			return "create " + string(id), []error{keys.ErrExists}, err
		}
	}
	m.projects[id] = &modelProject{access: access}
	return "create " + string(id), nil, err
}

func (m *model) suspend(o keystest.Office) (string, []error, error) {
	id, to := m.aspID(), m.random.IntN(2) == 0
	act := o.ResumeProject
	if to {
		act = o.SuspendProject
	}
	_, err := act(keystest.Background, keystest.Operator, id)
	p, ok := m.projects[id]
	switch {
	case !ok:
		return "suspend " + string(id), []error{keys.ErrNotFound}, err
	case p.suspended == to:
		return "suspend " + string(id), []error{keys.ErrRefused}, err
	}
	p.suspended = to
	return "suspend " + string(id), nil, err
}

func (m *model) createKey(o keystest.Office) (string, []error, error) {
	k := modelKey{keystest.KeyID(m.random.IntN(8)), keys.State(m.random.IntN(7)), 1 + m.random.IntN(5), 0}
	if m.random.IntN(8) == 0 {
		k.client = 1 + m.random.IntN(5)
	}
	given := k.id
	if m.random.IntN(2) == 0 {
		given = keys.KeyID(strings.ToUpper(string(given)))
	}
	owner := m.aspID()
	made, err := o.CreateKey(keystest.Background, keystest.Operator, manage.NewKey{ID: given, ASPID: owner,
		Server: keystest.RsaKeys()[k.server], Client: &keystest.RsaKeys()[k.client].PublicKey, State: k.state})
	name := fmt.Sprintf("key %+v of %s", k, owner)
	violated := m.violated(k, owner)
	if len(violated) > 0 {
		return name, violated, err
	}
	p := m.projects[owner]
	if k.state == 0 {
		if k.state = keys.Active; p.has(keys.Active) > 0 {
			k.state = keys.Staged
		}
	}
	if err == nil && made.State != k.state {
		err = fmt.Errorf("it is %s, want %s", made.State, k.state)
	}
	p.keys = append(p.keys, k)
	return name, nil, err
}

// violated are all rules that a new key breaks, in no order.
func (m *model) violated(k modelKey, owner keys.ASPID) (rules []error) {
	for _, p := range m.projects {
		for _, known := range p.keys {
			if known.id == k.id || known.server == k.server {
				rules = append(rules, keys.ErrExists)
			}
			if known.server == k.client || known.client == k.server {
				rules = append(rules, keys.ErrRefused)
			}
		}
	}
	if k.server == k.client {
		rules = append(rules, keys.ErrRefused)
	}
	p, ok := m.projects[owner]
	if !ok {
		return append(rules, keys.ErrNotFound)
	}
	if len(p.keys) >= 2 { // no act discards yet
		rules = append(rules, keys.ErrLimit)
	}
	if k.state > keys.Suspended || k.state == keys.Active && p.has(keys.Active) > 0 {
		rules = append(rules, keys.ErrRefused)
	}
	return rules
}

// has counts the keys in a state.
func (p *modelProject) has(s keys.State) (n int) {
	for _, k := range p.keys {
		if k.state == s {
			n++
		}
	}
	return n
}

// compare wants all that is shown, and a new ring, to be as the model.
func (m *model) compare(t *testing.T, o keystest.Office) {
	t.Helper()
	all := keystest.Must(o.Projects(t.Context()))
	ring := keystest.Must(ring.New(o.Load(t), keystest.MasterKey(1), nil))
	if len(all) != len(m.projects) || ring.Projects() != len(m.projects) {
		t.Fatalf("%d projects, want %v", len(all), slices.Collect(maps.Keys(m.projects)))
	}
	for _, p := range all {
		want := m.projects[p.ASPID]
		in, ok := ring.ByAccessKey(want.access, keystest.Morning)
		if !ok || p.Suspended != want.suspended || in.Suspended() != want.suspended || len(p.Keys) != len(want.keys) {
			t.Fatalf("project %s is %+v, want %+v", p.ASPID, p, want)
		}
		for i, k := range want.keys {
			got, inRing := p.Keys[i], orNil(in.Key(k.id))
			if !got.ID.Equal(k.id) || got.State != k.state || inRing == nil || inRing.At(keystest.Morning).State != k.state || inRing.ID() != got.ID {
				t.Fatalf("key %d of %s is %+v, want %+v", i, p.ASPID, got, k)
			}
		}
	}
}

func orNil[T any](v *T, ok bool) *T {
	if !ok {
		return nil
	}
	return v
}
