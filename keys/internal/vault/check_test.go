package vault

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/envelope"
	"kmproxy/crypto/sensitive"
	"kmproxy/crypto/sensitive/sensitivetest"
	"kmproxy/keys"
)

// sound is a project that may be written.
func sound() Project {
	const id keys.ASPID = "Alice0000000001"
	p := NewProject(keys.Project{ASPID: id})
	key := func(digit string, s keys.State) keys.Key {
		return keys.Key{ID: keys.KeyID(strings.Repeat(digit, keys.KeyIDLen)), ASPID: id, State: s, Allowed: alg.All()}
	}
	for digit, s := range map[string]keys.State{"a": keys.Active, "b": keys.Staged} {
		p.AddKey(key(digit, s), sensitive.New([]byte("\x03a private half\xfd")))
	}
	slices.SortFunc(p.Keys, func(a, b keys.Key) int { return strings.Compare(string(a.ID), string(b.ID)) })
	p.Keys = append(p.Keys, key("c", keys.Discarded))
	p.AddCredential(keys.Credential{AccessKey: "x"}, sensitive.New([]byte("\x02a secret\xfd")))
	return p
}

// TestCheckRefusesDefects: no act decides so, and if one did, it would not last.
func TestCheckRefusesDefects(t *testing.T) {
	if err := sound().check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Project){
		"no ASP id":                  func(p *Project) { p.ASPID = "" },
		"a credential without":       func(p *Project) { p.credentials["x"] = sensitive.Bytes{} },
		"a short secret":             func(p *Project) { p.credentials["x"] = sensitive.New([]byte("12345")) },
		"two active keys":            func(p *Project) { p.Keys[1].State = keys.Active },
		"a key twice":                func(p *Project) { p.Keys[1].ID = p.Keys[0].ID },
		"a key twice, in upper case": func(p *Project) { p.Keys[1].ID = keys.KeyID(strings.ToUpper(string(p.Keys[0].ID))) },
		"a key of another project":   func(p *Project) { p.Keys[0].ASPID = "Bob000000000001" },
		"a key in no state":          func(p *Project) { p.Keys[0].State = 0 },
		"a key in an unknown state":  func(p *Project) { p.Keys[0].State = 6 },
		"a key without algorithms":   func(p *Project) { p.Keys[0].Allowed = alg.Set{} },
		"no private half":            func(p *Project) { delete(p.private, p.Keys[0].ID) },
		"an empty private half":      func(p *Project) { p.private[p.Keys[0].ID] = sensitive.Bytes{} },
		"a discarded key with one":   func(p *Project) { p.private[p.Keys[2].ID] = sensitive.New([]byte("x")) },
	} {
		p := sound()
		spoil(&p)
		if err := p.check(); !errors.Is(err, errDefect) {
			t.Errorf("%s: got %v", name, err)
		}
		if _, err := encode(envelope.Key{}, p); !errors.Is(err, errDefect) {
			t.Errorf("%s: encoded with %v", name, err)
		}
	}
}

// TestNothingInsidePrints: also with secrets in them, which no Manager gives out.
func TestNothingInsidePrints(t *testing.T) {
	p := sound()
	for _, secret := range []string{"\x02a secret\xfd", "\x03a private half\xfd"} {
		sensitivetest.Hidden(t, []byte(secret), p)
		sensitivetest.Hidden(t, []byte(secret), p.Secrets)
		sensitivetest.Hidden(t, []byte(secret), Change{Project: p})
		sensitivetest.Hidden(t, []byte(secret), p.Shown())
	}
}
