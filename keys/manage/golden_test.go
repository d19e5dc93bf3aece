package manage_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"kmproxy/keys/ring"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/envelope"
	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/keys/keystest"
	"kmproxy/keys/manage"
	"kmproxy/keys/memstore"
)

// goldenStore is testdata/golden.json: what the first release wrote keystest.Must be read
// for ever. It was sealed by another implementation of HKDF and
// XChaCha20-Poly1305. Nobody may change it; a new format gets its own file.
func goldenStore(t *testing.T) keystest.Office {
	t.Helper()
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(keystest.Must(os.ReadFile("testdata/golden.json")), &entries); err != nil || len(entries) != 2 {
		t.Fatalf("golden.json has %d entries: %v", len(entries), err)
	}
	store := memstore.New()
	for name, value := range entries {
		keystest.Put(t, store, name, value)
	}
	keystest.Put(t, store, "audit-key", keystest.AuditKeyUnder(goldenKey()))
	keystest.Vouch(t, store)
	c := keystest.Config(store)
	c.Master = goldenKey()
	return keystest.Office{Manager: keystest.Must(manage.New(t.Context(), c)), Store: store}
}

func goldenKey() envelope.Key {
	const keyFile = "kmproxy-master-key-1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
	return keystest.Must(envelope.FromKeyFile(sensitive.New([]byte(keyFile))))
}

func TestGoldenRecordIsRead(t *testing.T) {
	p, err := goldenStore(t).Project(t.Context(), "Golden000000001")
	if err != nil {
		t.Fatal(err)
	}
	day := func(m time.Month, d int) time.Time { return time.Date(2026, m, d, 0, 0, 0, 0, time.UTC) }
	if p.Name != "Bücher & <Töne>" || p.Suspended || len(p.Credentials) != 2 || len(p.Keys) != 2 {
		t.Fatalf("got %+v", p)
	}
	if c := p.Credentials[0]; c.AccessKey != "abcdef0-0123456789abcdef0123456789abcdef" || !c.ExpiresAt.Equal(day(3, 1)) {
		t.Errorf("got %+v", c)
	}
	if c := p.Credentials[1]; !c.CreatedAt.Equal(day(2, 28)) || !c.ExpiresAt.IsZero() {
		t.Errorf("got %+v", c)
	}
	gone, active := p.Keys[0], p.Keys[1]
	if gone.State != keys.Discarded || gone.ID != "00112233445566778899aabbccddeeff" || gone.Allowed != alg.All() {
		t.Errorf("got %+v", gone)
	}
	only := keystest.Must(alg.ParseSet([]string{"RSA-OAEP-256"}, []string{"A256GCM"}))
	since := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	if active.State != keys.Active || active.Allowed != only || !active.CreatedAt.Equal(day(2, 2)) || !active.Since.Equal(since) {
		t.Errorf("got %+v", active)
	}
}

func TestGoldenSecretsOpen(t *testing.T) {
	o := goldenStore(t)
	ring := keystest.Must(ring.New(o.Load(t), goldenKey(), nil))
	for access, want := range map[keys.AccessKey]string{
		"abcdef0-0123456789abcdef0123456789abcdef": "the first secret key",
		`<the-second-access-key-has-40-letters&">`: "secret",
	} {
		m, ok := ring.ByAccessKey(access, keystest.Recorded)
		if !ok {
			t.Fatalf("%s is not found", access)
		}
		if secret, err := m.Secret(access); err != nil || !secret.Equal([]byte(want)) {
			t.Errorf("%s: another secret, or %v", access, err)
		}
	}
	m, _ := ring.ByAccessKey("abcdef0-0123456789abcdef0123456789abcdef", keystest.Recorded)
	key, _ := m.Active()
	private, err := key.Server()
	if err != nil {
		t.Fatal(err)
	}
	public := keystest.Must(keystest.Must(o.Key(t.Context(), key.ID())).Server())
	if !private.Public().Equal(public) || key.ID() != "FFEEDDCCBBAA99887766554433221100" {
		t.Error("the private half is not that of the public one")
	}
}

// TestGoldenRecordIsWrittenAlike: an act on it changes nothing but what it says.
func TestGoldenRecordIsWrittenAlike(t *testing.T) {
	o := goldenStore(t)
	before := plainPart(t, o, "project/Golden000000001")
	keystest.Must(o.SuspendProject(t.Context(), keystest.Operator, "Golden000000001"))
	suspended := plainPart(t, o, "project/Golden000000001")
	if want := strings.Replace(before, `"state":"active"`, `"state":"suspended"`, 1); suspended != want {
		t.Errorf("suspended, it reads\n%s\nand not\n%s", suspended, want)
	}
	keystest.Must(o.ResumeProject(t.Context(), keystest.Operator, "Golden000000001"))
	if after := plainPart(t, o, "project/Golden000000001"); after != before {
		t.Errorf("the plain part was\n%s\nand is\n%s", before, after)
	}
	if version := parsed(t, o, "project/Golden000000001").Version; version != 9 {
		t.Errorf("after two changes of version 7 it is version %d", version)
	}
}
