package main

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// world is all that can be seen of a store by those who hold no secret:
// "project/ASP_ID", "access/ASP_ID/ACCESS_KEY" and "key/ASP_ID/KEY_ID" with their
// states, and "audit" with the number of its entries.
type world map[string]string

const anyNumber = "any"

// with is what comes of a change; "" takes something away.
func (w world) with(change world) world {
	out := maps.Clone(w)
	for name, state := range change {
		if out[name] = state; state == "" {
			delete(out, name)
		}
	}
	return out
}

// is compares what stands in the store with what should: what is new there is
// called "new" in want.
func (w world) is(want world) bool {
	seen := world{}
	for name, state := range w {
		if _, known := want[name]; !known {
			name = name[:strings.LastIndex(name, "/")+1] + "new"
		}
		seen[name] = state
	}
	if want["audit"] == anyNumber {
		seen["audit"] = anyNumber
	}
	return maps.Equal(seen, want) && len(seen) == len(w)
}

// listed is a project as project list tells of it.
type listed struct {
	ASPID      string   `json:"asp_id"`
	State      string   `json:"state"`
	AccessKeys []string `json:"access_keys"`
	Keys       []struct {
		ID    string `json:"key_id"`
		State string `json:"state"`
	} `json:"keys"`
}

// in counts the keys in some states.
func (p listed) in(states ...string) (n int) {
	for _, k := range p.Keys {
		for _, s := range states {
			if k.State == s {
				n++
			}
		}
	}
	return n
}

func (p listed) live() int { return len(p.Keys) - p.in("discarded") }

// look reads the whole store with the program, which verifies it, unless nothing
// was done since the last look.
func (k *killer) look(t *testing.T) world {
	t.Helper()
	if k.seen != nil {
		return k.seen
	}
	if k.holdsNothing() {
		k.list, k.seen = nil, world{"audit": "0"}
		return k.seen
	}
	entries := k.must(t, "audit", "verify")["entries"].(float64)
	w := world{"audit": strconv.Itoa(int(entries))}
	k.list = k.listing(t)
	for _, p := range k.list {
		w["project/"+p.ASPID] = p.State
		for _, access := range p.AccessKeys {
			w["access/"+p.ASPID+"/"+access] = "known"
		}
		for _, key := range p.Keys {
			w["key/"+p.ASPID+"/"+key.ID] = key.State
		}
	}
	k.seen = w
	return w
}

// holdsNothing reports whether there is no store yet, which a command that reads says.
func (k *killer) holdsNothing() bool {
	out, err := k.command("project", "list").Output()
	return err != nil && strings.HasPrefix(string(out), `{"error":"there is no store at `)
}

// listing is what project list says, in which some things must always be so.
func (k *killer) listing(t *testing.T) []listed {
	t.Helper()
	out, err := k.command("project", "list").Output()
	if err != nil {
		t.Fatalf("project list: %v\n%s", err, out)
	}
	var list struct{ Projects []listed }
	if err := json.Unmarshal(out, &list); err != nil {
		t.Fatal(err)
	}
	for _, p := range list.Projects {
		if p.in("active") > 1 || p.live() > 2 {
			t.Fatalf("project %s has %d active of %d keys", p.ASPID, p.in("active"), p.live())
		}
	}
	return list.Projects
}

// project is any project that is as wanted.
func (k *killer) project(t *testing.T, wanted func(listed) bool) (listed, bool) {
	t.Helper()
	k.look(t)
	all := k.list
	for _, i := range rand.Perm(len(all)) {
		if wanted(all[i]) {
			return all[i], true
		}
	}
	return listed{}, false
}

// key is any key in one of the states.
func (k *killer) key(t *testing.T, states ...string) (p listed, id string, ok bool) {
	t.Helper()
	p, ok = k.project(t, func(p listed) bool { return p.in(states...) > 0 })
	for _, key := range p.Keys {
		for _, s := range states {
			if key.State == s {
				return p, key.ID, ok
			}
		}
	}
	return p, "", false
}
