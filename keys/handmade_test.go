package keys_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/envelope"
	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/keys/audit"
)

// The record format, written down a second time: tests make records that no act
// can make yet, and see what the package makes of them.
type (
	handMade struct {
		ASPID       keys.ASPID       `json:"asp_id"`
		Name        string           `json:"name,omitempty"`
		State       string           `json:"state"`
		CreatedAt   time.Time        `json:"created_at"`
		ClientPin   string           `json:"client_pin,omitempty"`
		Credentials []handCredential `json:"credentials"`
		Keys        []handKey        `json:"keys"`
	}
	handCredential struct {
		AccessKey keys.AccessKey `json:"access_key"`
		CreatedAt time.Time      `json:"created_at"`
		ExpiresAt *time.Time     `json:"expires_at,omitempty"`
	}
	handKey struct {
		ID        keys.KeyID `json:"key_id"`
		State     string     `json:"state"`
		CreatedAt time.Time  `json:"created_at"`
		Since     time.Time  `json:"since"`
		Algs      []string   `json:"algs"`
		Encs      []string   `json:"encs"`
		Server    string     `json:"server_public_key"`
		Client    string     `json:"client_public_key"`
	}
	handSecrets struct {
		SecretKeys  map[keys.AccessKey][]byte `json:"secret_keys"`
		PrivateKeys map[keys.KeyID][]byte     `json:"private_keys"`
	}
)

func hand(id keys.ASPID, ks ...handKey) handMade {
	return handMade{ASPID: id, State: "active", CreatedAt: recorded, Keys: append([]handKey{}, ks...),
		Credentials: []handCredential{{AccessKey: accessKey(id), CreatedAt: recorded}}}
}

// accessKey is the access key of a project that was made by hand.
func accessKey(id keys.ASPID) keys.AccessKey {
	return keys.AccessKey(strings.Repeat("-", keys.AccessKeyLen-len(id)) + string(id))
}

func handKeyOf(number int, state string) handKey {
	return handKey{ID: keyID(number), State: state, CreatedAt: recorded, Since: recorded,
		Algs: []string{"RSA-OAEP", "RSA-OAEP-256"}, Encs: []string{"A128GCM", "A256GCM"},
		Server: serverPEM(number), Client: string(must(must(jwk.NewPublic(clientKey(), alg.All())).PEM()))}
}

func serverPEM(number int) string {
	return string(must(must(jwk.NewPublic(&serverKey(number).PublicKey, alg.All())).PEM()))
}

// secrets are those of every credential, and the private half that belongs to
// each public one.
func (h handMade) secrets() handSecrets {
	s := handSecrets{map[keys.AccessKey][]byte{}, map[keys.KeyID][]byte{}}
	for _, c := range h.Credentials {
		s.SecretKeys[c.AccessKey] = []byte("secret of " + c.AccessKey)
	}
	for _, k := range h.Keys {
		for i := range len(rsaKeys()) - 1 {
			if k.State != "discarded" && k.Server == serverPEM(i) {
				s.PrivateKeys[k.ID] = must(jwk.PrivateDER(serverKey(i))).Expose()
			}
		}
	}
	return s
}

func (h handMade) name() string { return "project/" + string(h.ASPID) }

// record seals the project as a version of its record.
func (h handMade) record(version uint64) []byte {
	return sealedRecord(h.name(), version, asJSON(h), asJSON(h.secrets()))
}

func sealedRecord(name string, version uint64, plain, hidden string) []byte {
	at := envelope.Place{Record: name, Field: "secrets", Version: version}
	return recordOf(version, plain, masterKey(1).Seal(at, []byte(plain), []byte(hidden)))
}

func recordOf(version uint64, plain, sealed string) []byte {
	return fmt.Appendf(nil, `{"version":%d,"plain":%s,"sealed":%q}`, version, plain, sealed)
}

func asJSON(v any) string { return string(must(json.Marshal(v))) }

// sealEntry is the record that says which master key seals a store.
func sealEntry(b byte) []byte {
	return fmt.Appendf(nil, `{"key_id":%q,"created_at":"2026-01-01T00:00:00Z"}`, masterKey(b).ID())
}

// auditKeyEntry is the record of the audit chain's key.
func auditKeyUnder(master envelope.Key) []byte {
	at := envelope.Place{Record: "audit-key", Field: "key", Version: 1}
	return fmt.Appendf(nil, `{"version":1,"sealed":%q}`, master.Seal(at, nil, make([]byte, 32)))
}

// snapshot is a store's content at revision 9 with the records given.
func snapshot(records map[string][]byte) keys.Snapshot {
	entries := map[string]keys.Entry{"seal": {Value: sealEntry(1), Revision: 1}}
	for name, value := range records {
		entries[name] = keys.Entry{Value: value, Revision: 9}
	}
	return keys.Snapshot{Revision: 9, Entries: entries}
}

// handOffice is a store with projects made by hand, and a manager on it.
func handOffice(t testing.TB, projects ...handMade) office {
	t.Helper()
	o := newOffice(t)
	put(t, o.store, "seal", sealEntry(1))
	put(t, o.store, "audit-key", auditKeyUnder(masterKey(1)))
	for _, h := range projects {
		put(t, o.store, h.name(), h.record(1))
	}
	vouch(t, o.store)
	return o
}

// vouch writes an audit entry for every record of a store that was made by hand,
// under the key of auditKeyUnder.
func vouch(t testing.TB, s keys.Store) {
	t.Helper()
	e := audit.Entry{Time: recorded, Actor: operator.Name, Action: "test", Target: "store", Wrote: map[string]string{}}
	for name, entry := range must(s.Load(t.Context())).Entries {
		var compact bytes.Buffer
		if json.Compact(&compact, entry.Value) == nil {
			e.Wrote[name] = audit.Digest(compact.Bytes())
		}
	}
	chain := must(audit.ReadKey(sensitive.New(make([]byte, audit.KeyBytes))))
	put(t, s, "audit/000000000001", must(json.Marshal(must(chain.Link(nil, e)))))
}
