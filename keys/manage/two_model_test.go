package manage_test

import (
	"slices"
	"time"

	"kmproxy/keys"
)

// twoModel is what the store of two processes should hold, said as simply as
// possible.
type twoModel struct {
	now      time.Time
	projects map[keys.ASPID]*twoProject
	accepted int
	ended    int // plans that came by the clock
}

type twoProject struct {
	suspended bool
	access    []twoAccess
	keys      []twoKey
}

type twoAccess struct {
	key keys.AccessKey
	end time.Time
}

type twoKey struct {
	id             keys.KeyID
	state          keys.State
	ends           keys.Ends
	erased         bool // the private half
	server, client int
}

// pass lets the clock go on, and the planned ends come.
func (m *twoModel) pass(d time.Duration) {
	m.now = m.now.Add(d)
	for _, p := range m.projects {
		for i := range p.keys {
			k := &p.keys[i]
			if k.state == keys.Draining && m.past(k.ends.Drain) {
				k.state = keys.Suspended
				m.ended++
			}
			if k.state == keys.Suspended && m.past(k.ends.Discard) {
				k.state, k.ends = keys.Discarded, keys.Ends{}
				m.ended++
			}
		}
	}
}

func (m *twoModel) past(end time.Time) bool { return !end.IsZero() && !m.now.Before(end) }

// play returns all reasons to refuse an order; without any, it is carried out.
func (m *twoModel) play(o order, a answer) (reasons []string) {
	p := m.projects[o.ASPID]
	var at *twoKey
	if o.Key != "" && o.Act != "key create" && o.Act != "key rotate" {
		if p, at = m.owner(o.Key); p == nil {
			return []string{"not found"}
		}
	}
	reasons = m.reasons(o, p, at)
	if len(reasons) > 0 {
		return reasons
	}
	if o.Act == "project create" {
		p = &twoProject{}
		m.projects[o.ASPID] = p
	}
	m.carryOut(o, a, p, at)
	m.shed(p)
	m.accepted++
	return nil
}

func (m *twoModel) owner(id keys.KeyID) (*twoProject, *twoKey) {
	for _, p := range m.projects {
		for i := range p.keys {
			if p.keys[i].id == id {
				return p, &p.keys[i]
			}
		}
	}
	return nil, nil
}

func (m *twoModel) reasons(o order, p *twoProject, at *twoKey) (out []string) {
	is := func(broken bool, reason string) {
		if broken {
			out = append(out, reason)
		}
	}
	switch o.Act {
	case "project create":
		is(p != nil || m.hasAccess(o.Access), "exists")
		return out
	case "key create", "key rotate":
		out = m.reasonsNew(o, p)
	case "project rotate-secret":
		is(o.Overlap < 0, "refused")
	}
	is(p == nil, "not found")
	if p == nil {
		return out
	}
	switch o.Act {
	case "project suspend", "project resume":
		is(p.suspended == (o.Act == "project suspend"), "refused")
	case "key rotate":
		is(o.Broken || !m.sensible(o.Ends), "refused")
	case "key promote":
		is(o.Broken || !m.sensible(o.Ends), "refused")
		is(at.state != keys.Staged && at.state != keys.Suspended, "move")
	case "key suspend":
		is(at.state != keys.Active && at.state != keys.Draining, "move")
	case "key resume":
		is(at.state != keys.Suspended, "move")
	case "key discard":
		over := at.state == keys.Discarded && !at.erased
		is(!over && at.state != keys.Staged && at.state != keys.Suspended, "move")
		is(!over && o.Used && !o.Force, "in use")
	}
	return out
}

// sensible tells whether planned ends can come in order.
func (m *twoModel) sensible(e keys.Ends) bool {
	return !m.past(e.Drain) && (e.Discard.IsZero() || !e.Drain.IsZero() && e.Discard.After(e.Drain))
}

// reasonsNew are those to refuse a new key.
func (m *twoModel) reasonsNew(o order, p *twoProject) (out []string) {
	for _, q := range m.projects {
		for _, k := range q.keys {
			if k.id == o.Key || k.server == o.Server {
				out = append(out, "exists")
			}
			if k.server == o.Client || k.client == o.Server {
				out = append(out, "refused")
			}
		}
	}
	if o.Server == o.Client {
		out = append(out, "refused")
	}
	if p == nil {
		return out
	}
	if len(p.keys)-p.in(keys.Discarded) >= 2 {
		out = append(out, "limit")
	}
	if o.Act == "key create" && (o.State > keys.Suspended || o.State == keys.Active && p.in(keys.Active) > 0) {
		out = append(out, "refused")
	}
	return out
}

func (m *twoModel) hasAccess(k keys.AccessKey) bool {
	for _, p := range m.projects {
		if slices.ContainsFunc(p.access, func(a twoAccess) bool { return a.key == k }) {
			return true
		}
	}
	return false
}

func (p *twoProject) in(s keys.State) (n int) {
	for _, k := range p.keys {
		if k.state == s {
			n++
		}
	}
	return n
}

func (m *twoModel) carryOut(o order, a answer, p *twoProject, at *twoKey) {
	switch o.Act {
	case "project create":
		p.access = []twoAccess{{key: o.Access}}
	case "project suspend", "project resume":
		p.suspended = o.Act == "project suspend"
	case "project rotate-secret":
		for i, end := range p.access {
			if until := m.now.Add(o.Overlap); end.end.IsZero() || end.end.After(until) {
				p.access[i].end = until
			}
		}
		p.access = append(p.access, twoAccess{key: a.Access})
	case "key create":
		p.keys = append(p.keys, twoKey{id: o.Key, state: p.joining(o.State), server: o.Server, client: o.Client})
	case "key rotate":
		p.keys = append(p.keys, twoKey{id: o.Key, state: keys.Staged, server: o.Server, client: o.Client})
		p.promote(&p.keys[len(p.keys)-1], o.Ends)
	case "key promote":
		p.promote(at, o.Ends)
	case "key suspend":
		at.state, at.ends = keys.Suspended, keys.Ends{}
	case "key resume":
		at.state, at.ends = keys.Draining, keys.Ends{}
	case "key discard":
		at.state, at.ends = keys.Discarded, keys.Ends{}
	}
}

func (p *twoProject) joining(wanted keys.State) keys.State {
	switch {
	case wanted != 0:
		return wanted
	case p.in(keys.Active) > 0:
		return keys.Staged
	}
	return keys.Active
}

func (p *twoProject) promote(at *twoKey, former keys.Ends) {
	for i := range p.keys {
		if p.keys[i].state == keys.Active {
			p.keys[i].state, p.keys[i].ends = keys.Draining, former
		}
	}
	at.state, at.ends = keys.Active, keys.Ends{}
}

// shed is what every change of a project does beside.
func (m *twoModel) shed(p *twoProject) {
	for i := range p.keys {
		p.keys[i].erased = p.keys[i].state == keys.Discarded
	}
	p.access = slices.DeleteFunc(p.access, func(a twoAccess) bool { return m.past(a.end) })
}
