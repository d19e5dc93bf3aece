package keys

import (
	"errors"
	"strings"
	"testing"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/envelope"
	"kmproxy/crypto/sensitive"
	"kmproxy/crypto/sensitive/sensitivetest"
)

// sound is a project that may be written.
func sound() Project {
	const id ASPID = "Alice0000000001"
	key := func(digit string, s State) Key {
		return Key{ID: KeyID(strings.Repeat(digit, KeyIDLen)), ASPID: id, State: s, Allowed: alg.All(), private: sensitive.New([]byte("\x03a private half\xfd"))}
	}
	gone := key("c", Discarded)
	gone.private = sensitive.Bytes{}
	return Project{ASPID: id, Keys: []Key{key("a", Active), key("b", Staged), gone},
		Credentials: []Credential{{AccessKey: "x", secret: sensitive.New([]byte("\x02a secret\xfd"))}}}
}

// TestCheckRefusesDefects: no act decides so, and if one did, it would not last.
func TestCheckRefusesDefects(t *testing.T) {
	if err := sound().check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Project){
		"no ASP id":                  func(p *Project) { p.ASPID = "" },
		"a credential without":       func(p *Project) { p.Credentials[0].secret = sensitive.Bytes{} },
		"a short secret":             func(p *Project) { p.Credentials[0].secret = sensitive.New([]byte("12345")) },
		"two active keys":            func(p *Project) { p.Keys[1].State = Active },
		"a key twice":                func(p *Project) { p.Keys[1].ID = p.Keys[0].ID },
		"a key twice, in upper case": func(p *Project) { p.Keys[1].ID = KeyID(strings.ToUpper(string(p.Keys[0].ID))) },
		"a key of somebody else":     func(p *Project) { p.Keys[0].ASPID = "Bob000000000001" },
		"a key in no state":          func(p *Project) { p.Keys[0].State = 0 },
		"a key in an unknown state":  func(p *Project) { p.Keys[0].State = 6 },
		"a key without algorithms":   func(p *Project) { p.Keys[0].Allowed = alg.Set{} },
		"no private half":            func(p *Project) { p.Keys[0].private = sensitive.Bytes{} },
		"a wiped private half":       func(p *Project) { p.Keys[0].private.Wipe() },
		"a discarded key with one":   func(p *Project) { p.Keys[2].private = sensitive.New([]byte("x")) },
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

func TestShownProjectHasNoSecrets(t *testing.T) {
	p := sound()
	shown := p.shown()
	if shown.Credentials[0].secret.Len() != 0 || shown.Keys[0].private.Len() != 0 {
		t.Error("it has a secret")
	}
	if p.Credentials[0].secret.Len() == 0 || p.Keys[0].private.Len() == 0 {
		t.Error("showing a project takes its secrets")
	}
}

// TestNothingInsidePrints: also with secrets in them, which no Manager gives out.
func TestNothingInsidePrints(t *testing.T) {
	p := sound()
	text, half := []byte("\x02a secret\xfd"), []byte("\x03a private half\xfd")
	sensitivetest.Hidden(t, text, p)
	sensitivetest.Hidden(t, text, p.Credentials)
	sensitivetest.Hidden(t, half, p)
	sensitivetest.Hidden(t, half, &p.Keys[0])
	open := openSecrets{map[AccessKey]sensitive.Bytes{"x": p.Credentials[0].secret}, map[KeyID]sensitive.Bytes{"y": p.Keys[0].private}}
	lazy := &lazySecrets{open: open}
	sensitivetest.Hidden(t, text, lazy)
	sensitivetest.Hidden(t, half, lazy)
	sensitivetest.Hidden(t, half, open)
}
