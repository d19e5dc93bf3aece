package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"kmproxy/crypto/envelope"
	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
)

const (
	projectPrefix = "project/"
	secretsField  = "secrets"
)

// record is a project as it stands in the store. Plain is for people to read and
// is authenticated by Sealed, which holds the secrets. A record that was put back
// whole from an earlier time opens; only the audit trail can tell that.
type record struct {
	Version uint64          `json:"version"` // grows with every write
	Plain   json.RawMessage `json:"plain,omitempty"`
	Sealed  string          `json:"sealed"`
}

// ProjectName is the name of a project's record.
func ProjectName(id keys.ASPID) string { return projectPrefix + string(id) }

// isProject reports whether a record of that name is a project.
func isProject(name string) bool { return strings.HasPrefix(name, projectPrefix) }

// encode writes a project as the version of its record that follows the one it
// was read from.
func encode(master envelope.Key, p Project) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("encoding project %s: %w", p.ASPID, err)
	}
	plain, err := JSON(plainOf(p.Project))
	if err != nil {
		return nil, fmt.Errorf("encoding project %s: %w", p.ASPID, err)
	}
	hidden := p.exposed().hidden()
	defer clear(hidden)
	r := record{Version: p.version + 1, Plain: plain}
	r.Sealed = master.Seal(r.place(ProjectName(p.ASPID)), plain, hidden)
	return r.json(), nil
}

// decode reads a whole project with its secrets, in order to change it. Errors
// are ErrDamaged, envelope.ErrOtherKey with it, or ErrRefused for a record whose
// change would lose something that a newer kmproxy keeps in it.
func decode(master envelope.Key, name string, value []byte) (Project, error) {
	r, plain, err := readRecord(name, value)
	if err != nil {
		return Project{}, err
	}
	hidden, err := r.open(master, name)
	if err != nil {
		return Project{}, err
	}
	defer hidden.Wipe()
	s, err := readSecrets(name, hidden)
	if err != nil {
		return Project{}, err
	}
	shown, err := plain.project()
	if err != nil {
		return Project{}, Damaged(name, err)
	}
	p := Project{shown, s, r.Version}
	if !p.isAllOf(r.compact(), hidden) {
		return Project{}, newer(name)
	}
	return p, nil
}

// isAllOf reports whether p comes out as it went in.
func (p Project) isAllOf(plain []byte, hidden sensitive.Bytes) bool {
	plainAgain, err := JSON(plainOf(p.Project))
	if err != nil || !bytes.Equal(plainAgain, plain) {
		return false
	}
	hiddenAgain := p.exposed().hidden()
	defer clear(hiddenAgain)
	return hidden.Equal(hiddenAgain)
}

// Show reads the project in a record without its secrets. It opens the sealed part
// all the same, which proves every byte of the plain one. Errors are
// keys.ErrDamaged, and envelope.ErrOtherKey with it.
func Show(master envelope.Key, name string, value []byte) (keys.Project, error) {
	if p, ok := showQuickly(master, name, value); ok {
		return p, nil
	}
	r, plain, err := readRecord(name, value)
	if err != nil {
		return keys.Project{}, err
	}
	hidden, err := r.open(master, name)
	if err != nil {
		return keys.Project{}, err
	}
	hidden.Wipe()
	p, err := plain.project()
	if err != nil {
		return keys.Project{}, Damaged(name, err)
	}
	return p, nil
}

// OpenSecrets reads only the secrets of the project in a record. Errors are
// keys.ErrDamaged, and envelope.ErrOtherKey with it.
func OpenSecrets(master envelope.Key, name string, value []byte) (Secrets, error) {
	r, _, err := readRecord(name, value)
	if err != nil {
		return Secrets{}, err
	}
	hidden, err := r.open(master, name)
	if err != nil {
		return Secrets{}, err
	}
	defer hidden.Wipe()
	return readSecrets(name, hidden)
}

// readRecord reads an entry without opening it: nothing in it is proven yet. Its
// error is ErrDamaged.
func readRecord(name string, value []byte) (record, plainProject, error) {
	var p plainProject
	r, err := parseRecord(value)
	if err != nil {
		return r, p, Damaged(name, err)
	}
	if err := json.Unmarshal(r.Plain, &p); err != nil {
		return r, p, Damaged(name, errors.New("it is not a project"))
	}
	if ProjectName(p.ASPID) != name {
		return r, p, Damaged(name, errors.New("it is the record of another project"))
	}
	return r, p, nil
}

func parseRecord(value []byte) (record, error) {
	if o, ok := outlineOf(value); ok {
		if r, ok := o.record(); ok {
			return r, nil
		}
	}
	var r record
	if err := json.Unmarshal(value, &r); err != nil {
		return r, errors.New("it is not a record of ours")
	}
	return r, nil
}

// json is the record, whose plain part has no blanks, as toJSON writes it: the form
// that outlineOf takes.
func (r record) json() []byte {
	const frame = len(`{"version":18446744073709551615,"plain":,"sealed":""}`)
	out := make([]byte, 0, frame+len(r.Plain)+len(r.Sealed))
	out = strconv.AppendUint(append(out, `{"version":`...), r.Version, 10)
	if len(r.Plain) > 0 {
		out = append(append(out, `,"plain":`...), r.Plain...)
	}
	out = append(append(out, `,"sealed":"`...), r.Sealed...)
	return append(out, `"}`...)
}

// open returns the sealed part. Errors are ErrDamaged, and envelope.ErrOtherKey
// with it.
func (r record) open(master envelope.Key, name string) (sensitive.Bytes, error) {
	hidden, err := master.Open(r.place(name), r.Plain, r.Sealed)
	if errors.Is(err, envelope.ErrSealed) { // perhaps there are blanks in it that were not sealed
		hidden, err = master.Open(r.place(name), r.compact(), r.Sealed)
	}
	if err != nil {
		return sensitive.Bytes{}, Damaged(name, fmt.Errorf("its sealed part: %w", err))
	}
	return hidden, nil
}

// place is what the sealed part of a record of that name is bound to.
func (r record) place(name string) envelope.Place {
	return envelope.Place{Record: name, Field: sealedField(name), Version: r.Version}
}

func readSecrets(name string, hidden sensitive.Bytes) (Secrets, error) {
	var s secrets
	if err := json.Unmarshal(hidden.Expose(), &s); err != nil {
		return Secrets{}, Damaged(name, errors.New("its secrets are not readable")) // the decoder's text could quote them
	}
	return s.opened(), nil
}

// compact is the plain part as it was sealed, whoever has put blanks into it.
func (r record) compact() []byte { return compact(r.Plain) }

// compact is a document without blanks; nil if it is none.
func compact(value []byte) []byte {
	var out bytes.Buffer
	if err := json.Compact(&out, value); err != nil {
		return nil
	}
	return out.Bytes()
}

// JSON encodes a value. It writes < and > as every other program does: json.Marshal escapes them,
// and a record that another program has re-formatted would not open.
func JSON(v any) ([]byte, error) {
	var out bytes.Buffer
	to := json.NewEncoder(&out)
	to.SetEscapeHTML(false)
	if err := to.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// Damaged is a keys.ErrDamaged that names a record and says why.
func Damaged(name string, why error) error {
	return fmt.Errorf("record %s: %w: %w", name, keys.ErrDamaged, why)
}
