package keystest

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
	Record struct {
		ASPID       keys.ASPID         `json:"asp_id"`
		Name        string             `json:"name,omitempty"`
		State       string             `json:"state"`
		CreatedAt   time.Time          `json:"created_at"`
		ClientPin   string             `json:"client_pin,omitempty"`
		Credentials []RecordCredential `json:"credentials"`
		Keys        []RecordKey        `json:"keys"`
	}
	RecordCredential struct {
		AccessKey keys.AccessKey `json:"access_key"`
		CreatedAt time.Time      `json:"created_at"`
		ExpiresAt *time.Time     `json:"expires_at,omitempty"`
	}
	RecordKey struct {
		ID        keys.KeyID `json:"key_id"`
		State     string     `json:"state"`
		CreatedAt time.Time  `json:"created_at"`
		Since     time.Time  `json:"since"`
		Algs      []string   `json:"algs"`
		Encs      []string   `json:"encs"`
		Server    string     `json:"server_public_key"`
		Client    string     `json:"client_public_key"`
	}
	RecordSecrets struct {
		SecretKeys  map[keys.AccessKey][]byte `json:"secret_keys"`
		PrivateKeys map[keys.KeyID][]byte     `json:"private_keys"`
	}
)

func RecordFor(id keys.ASPID, ks ...RecordKey) Record {
	return Record{ASPID: id, State: "active", CreatedAt: Recorded, Keys: append([]RecordKey{}, ks...),
		Credentials: []RecordCredential{{AccessKey: AccessKey(id), CreatedAt: Recorded}}}
}

// AccessKey is the access key of a project that was made by RecordFor.
func AccessKey(id keys.ASPID) keys.AccessKey {
	return keys.AccessKey(strings.Repeat("-", keys.AccessKeyLen-len(id)) + string(id))
}

func KeyInRecord(number int, state string) RecordKey {
	return RecordKey{ID: KeyID(number), State: state, CreatedAt: Recorded, Since: Recorded,
		Algs: []string{"RSA-OAEP", "RSA-OAEP-256"}, Encs: []string{"A128GCM", "A256GCM"},
		Server: ServerPEM(number), Client: string(Must(Must(jwk.NewPublic(ClientKey(), alg.All())).PEM()))}
}

func ServerPEM(number int) string {
	return string(Must(Must(jwk.NewPublic(&ServerKey(number).PublicKey, alg.All())).PEM()))
}

// secrets are those of every credential, and the private half that belongs to
// each public one.
func (h Record) Secrets() RecordSecrets {
	s := RecordSecrets{map[keys.AccessKey][]byte{}, map[keys.KeyID][]byte{}}
	for _, c := range h.Credentials {
		s.SecretKeys[c.AccessKey] = []byte("secret of " + c.AccessKey)
	}
	for _, k := range h.Keys {
		for i := range len(RsaKeys()) - 1 {
			if k.State != "discarded" && k.Server == ServerPEM(i) {
				s.PrivateKeys[k.ID] = Must(jwk.PrivateDER(ServerKey(i))).Expose()
			}
		}
	}
	return s
}

func (h Record) RecordName() string { return "project/" + string(h.ASPID) }

// record seals the project as a version of its record.
func (h Record) Record(version uint64) []byte {
	return SealedRecord(h.RecordName(), version, AsJSON(h), AsJSON(h.Secrets()))
}

func SealedRecord(name string, version uint64, plain, hidden string) []byte {
	at := envelope.Place{Record: name, Field: "secrets", Version: version}
	return RecordOf(version, plain, MasterKey(1).Seal(at, []byte(plain), []byte(hidden)))
}

func RecordOf(version uint64, plain, sealed string) []byte {
	return fmt.Appendf(nil, `{"version":%d,"plain":%s,"sealed":%q}`, version, plain, sealed)
}

func AsJSON(v any) string { return string(Must(json.Marshal(v))) }

// SealEntry is the record that says which master key seals a store.
func SealEntry(b byte) []byte {
	return fmt.Appendf(nil, `{"key_id":%q,"created_at":"2026-01-01T00:00:00Z"}`, MasterKey(b).ID())
}

// auditKeyEntry is the record of the audit chain's key.
func AuditKeyUnder(master envelope.Key) []byte {
	at := envelope.Place{Record: "audit-key", Field: "key", Version: 1}
	return fmt.Appendf(nil, `{"version":1,"sealed":%q}`, master.Seal(at, nil, make([]byte, 32)))
}

// Snapshot is a store's content at revision 9 with the records given.
func Snapshot(records map[string][]byte) keys.Snapshot {
	entries := map[string]keys.Entry{"seal": {Value: SealEntry(1), Revision: 1}}
	for name, value := range records {
		entries[name] = keys.Entry{Value: value, Revision: 9}
	}
	return keys.Snapshot{Revision: 9, Entries: entries}
}

// HandOffice is a store with projects made by RecordFor, and a manager on it.
func HandOffice(t testing.TB, projects ...Record) Office {
	t.Helper()
	o := NewOffice(t)
	Put(t, o.Store, "seal", SealEntry(1))
	Put(t, o.Store, "audit-key", AuditKeyUnder(MasterKey(1)))
	for _, h := range projects {
		Put(t, o.Store, h.RecordName(), h.Record(1))
	}
	Vouch(t, o.Store)
	return o
}

// Vouch writes an audit entry for every record of a store that was made by RecordFor,
// under the key of AuditKeyUnder.
func Vouch(t testing.TB, s keys.Store) {
	t.Helper()
	e := audit.Entry{Time: Recorded, Actor: Operator.Name, Action: "test", Target: "store", Wrote: map[string]string{}}
	for name, entry := range Must(s.Load(t.Context())).Entries {
		var compact bytes.Buffer
		if json.Compact(&compact, entry.Value) == nil {
			e.Wrote[name] = audit.Digest(compact.Bytes())
		}
	}
	chain := Must(audit.ReadKey(sensitive.New(make([]byte, audit.KeyBytes))))
	Put(t, s, "audit/000000000001", Must(json.Marshal(Must(chain.Link(nil, e)))))
}
