package keys

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/envelope"
	"kmproxy/crypto/sensitive"
)

const (
	projectPrefix = "project/"
	secretsField  = "secrets"
)

// record is a project as it stands in the store. Plain is for people to read and
// is authenticated by Sealed, which holds the secrets.
type record struct {
	Version uint64          `json:"version"` // grows with every write
	Plain   json.RawMessage `json:"plain"`
	Sealed  string          `json:"sealed"`
}

type plainProject struct {
	ASPID       ASPID             `json:"asp_id"`
	Name        string            `json:"name,omitempty"`
	State       string            `json:"state"` // "active" or "suspended"
	CreatedAt   time.Time         `json:"created_at"`
	Credentials []plainCredential `json:"credentials"`
	Keys        []plainKey        `json:"keys"`
}

type plainCredential struct {
	AccessKey AccessKey  `json:"access_key"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

type plainKey struct {
	ID        KeyID     `json:"key_id"`
	State     string    `json:"state"`
	CreatedAt time.Time `json:"created_at"`
	Since     time.Time `json:"since"`
	Algs      []string  `json:"algs"`
	Encs      []string  `json:"encs"`
	ServerPEM string    `json:"server_public_key"`
	ClientPEM string    `json:"client_public_key"`
}

// secrets is what a record seals.
type secrets struct {
	SecretKeys  map[AccessKey][]byte `json:"secret_keys"`
	PrivateKeys map[KeyID][]byte     `json:"private_keys"`
}

func projectName(id ASPID) string { return projectPrefix + string(id) }

func isProject(name string) bool { return strings.HasPrefix(name, projectPrefix) }

// encode writes a project as version v of its record.
func encode(master envelope.Key, p Project, v uint64) ([]byte, error) {
	plain, err := json.Marshal(plainOf(p))
	if err != nil {
		return nil, fmt.Errorf("encoding project %s: %w", p.ASPID, err)
	}
	hidden, err := json.Marshal(secretsOf(p))
	if err != nil {
		return nil, fmt.Errorf("encoding the secrets of project %s: %w", p.ASPID, err)
	}
	defer clear(hidden)
	sealed := master.Seal(place(projectName(p.ASPID), v), plain, hidden)
	return json.Marshal(record{Version: v, Plain: plain, Sealed: sealed})
}

// readRecord reads an entry without opening it. Its error is ErrDamaged.
func readRecord(name string, value []byte) (record, plainProject, error) {
	var r record
	var p plainProject
	if err := json.Unmarshal(value, &r); err != nil {
		return r, p, fmt.Errorf("record %s: %w: it is not a record of ours", name, ErrDamaged)
	}
	if err := json.Unmarshal(r.Plain, &p); err != nil {
		return r, p, fmt.Errorf("record %s: %w: it is not a project", name, ErrDamaged)
	}
	if projectName(p.ASPID) != name {
		return r, p, fmt.Errorf("record %s: %w: it is the record of another project", name, ErrDamaged)
	}
	return r, p, nil
}

// open returns the sealed part of a record. That it opens proves every byte of
// the plain part. Errors are ErrDamaged or envelope.ErrOtherKey.
func (r record) open(master envelope.Key, name string) (sensitive.Bytes, error) {
	var plain bytes.Buffer
	if err := json.Compact(&plain, r.Plain); err != nil {
		return sensitive.Bytes{}, fmt.Errorf("record %s: %w: %w", name, ErrDamaged, err)
	}
	hidden, err := master.Open(place(name, r.Version), plain.Bytes(), r.Sealed)
	if err != nil {
		return sensitive.Bytes{}, fmt.Errorf("record %s: %w: its sealed part %w", name, ErrDamaged, err)
	}
	return hidden, nil
}

// decode reads a whole project with its secrets, and its record's version.
func decode(master envelope.Key, name string, value []byte) (Project, uint64, error) {
	r, plain, err := readRecord(name, value)
	if err != nil {
		return Project{}, 0, err
	}
	hidden, err := r.open(master, name)
	if err != nil {
		return Project{}, 0, err
	}
	defer hidden.Wipe()
	var s secrets
	if err := json.Unmarshal(hidden.Expose(), &s); err != nil {
		return Project{}, 0, fmt.Errorf("record %s: %w: its secrets are not readable", name, ErrDamaged)
	}
	p, err := plain.project(s)
	if err != nil {
		return Project{}, 0, fmt.Errorf("record %s: %w: %w", name, ErrDamaged, err)
	}
	return p, r.Version, nil
}

func place(name string, version uint64) envelope.Place {
	return envelope.Place{Record: name, Field: secretsField, Version: version}
}

func plainOf(p Project) plainProject {
	out := plainProject{ASPID: p.ASPID, Name: p.Name, State: projectState(p.Suspended), CreatedAt: p.CreatedAt,
		Credentials: []plainCredential{}, Keys: []plainKey{}}
	for _, c := range p.Credentials {
		pc := plainCredential{AccessKey: c.AccessKey, CreatedAt: c.CreatedAt}
		if !c.ExpiresAt.IsZero() {
			pc.ExpiresAt = &c.ExpiresAt
		}
		out.Credentials = append(out.Credentials, pc)
	}
	for _, k := range p.Keys {
		algs, encs := k.Allowed.Names()
		out.Keys = append(out.Keys, plainKey{ID: k.ID, State: k.State.String(), CreatedAt: k.CreatedAt, Since: k.Since,
			Algs: algs, Encs: encs, ServerPEM: k.ServerPEM, ClientPEM: k.ClientPEM})
	}
	return out
}

func secretsOf(p Project) secrets {
	s := secrets{SecretKeys: map[AccessKey][]byte{}, PrivateKeys: map[KeyID][]byte{}}
	for _, c := range p.Credentials {
		s.SecretKeys[c.AccessKey] = c.secret.Expose()
	}
	for _, k := range p.Keys {
		if k.private.Len() > 0 {
			s.PrivateKeys[k.ID] = k.private.Expose()
		}
	}
	return s
}

// project joins the plain part and the secrets. It takes over the secrets' bytes.
func (p plainProject) project(s secrets) (Project, error) {
	out := Project{ASPID: p.ASPID, Name: p.Name, Suspended: p.State != projectState(false), CreatedAt: p.CreatedAt}
	for _, c := range p.Credentials {
		oc := Credential{AccessKey: c.AccessKey, CreatedAt: c.CreatedAt, secret: sensitive.New(s.SecretKeys[c.AccessKey])}
		if c.ExpiresAt != nil {
			oc.ExpiresAt = *c.ExpiresAt
		}
		out.Credentials = append(out.Credentials, oc)
	}
	for _, k := range p.Keys {
		ok, err := k.key(p.ASPID)
		if err != nil {
			return Project{}, err
		}
		ok.private = sensitive.New(s.PrivateKeys[k.ID])
		out.Keys = append(out.Keys, ok)
	}
	return out, nil
}

// key reads everything but the private half.
func (k plainKey) key(owner ASPID) (Key, error) {
	state, err := ParseState(k.State)
	if err != nil {
		return Key{}, fmt.Errorf("key %s: %w", k.ID, err)
	}
	allowed, err := alg.ParseSet(k.Algs, k.Encs)
	if err != nil {
		return Key{}, fmt.Errorf("key %s: %w", k.ID, err)
	}
	return Key{ID: k.ID, ASPID: owner, State: state, CreatedAt: k.CreatedAt, Since: k.Since, Allowed: allowed,
		ServerPEM: k.ServerPEM, ClientPEM: k.ClientPEM}, nil
}

func projectState(suspended bool) string {
	if suspended {
		return "suspended"
	}
	return "active"
}
