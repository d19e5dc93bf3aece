package keys

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"kmproxy/crypto/envelope"
	"kmproxy/keys/audit"
	"kmproxy/keys/internal/cores"
)

const (
	auditPrefix   = "audit/"
	auditKeyName  = "audit-key"
	auditKeyField = "key"
)

// auditName sorts as the numbers do.
func auditName(seq uint64) string { return fmt.Sprintf("%s%012d", auditPrefix, seq) }

// auditKey opens the chain's key. Its error is ErrDamaged.
func (v *view) auditKey() (audit.Key, error) {
	entry, ok := v.snap.Entries[auditKeyName]
	if !ok {
		return audit.Key{}, damaged(auditKeyName, errors.New("it is missing"))
	}
	r, err := readSealed(auditKeyName, entry.Value)
	if err != nil {
		return audit.Key{}, err
	}
	secret, err := r.open(v.master, auditKeyName)
	if err != nil {
		return audit.Key{}, err
	}
	return audit.ReadKey(secret)
}

// newAuditKey makes the key of a new store's chain, and its record.
func newAuditKey(master envelope.Key) (audit.Key, Change, error) {
	k, r := audit.NewKey(), record{Version: 1}
	r.Sealed = master.Seal(r.place(auditKeyName), nil, k.Secret().Expose())
	value, err := toJSON(r)
	return k, Change{Name: auditKeyName, Value: value}, err
}

// lastEntry is the newest audit entry; nil if there is none.
func (v *view) lastEntry() (*audit.Entry, error) {
	last := ""
	for name := range v.snap.Entries {
		if strings.HasPrefix(name, auditPrefix) && name > last {
			last = name
		}
	}
	if last == "" {
		return nil, nil
	}
	e, err := readEntry(last, v.snap.Entries[last].Value)
	return &e, err
}

func readEntry(name string, value []byte) (audit.Entry, error) {
	var e audit.Entry
	if err := json.Unmarshal(value, &e); err != nil {
		return e, damaged(name, errors.New("it is not an audit entry"))
	}
	if auditName(e.Seq) != name {
		return e, damaged(name, fmt.Errorf("it is entry %d", e.Seq))
	}
	return e, nil
}

// story is what an entry tells of a change for people, without secrets. Either
// part may be missing.
type story struct{ before, after json.RawMessage }

// storyOf tells how a project was and is to be.
func (v *view) storyOf(after Project) (s story, err error) {
	if _, known := v.snap.Entries[projectName(after.ASPID)]; known {
		before, err := v.shown(after.ASPID)
		if err != nil {
			return s, err
		}
		if s.before, err = summary(before); err != nil {
			return s, err
		}
	}
	s.after, err = summary(after)
	return s, err
}

// trail is the audit entry that goes with changes, in the same commit: a change
// without its entry cannot be.
func (v *view) trail(key audit.Key, a act, at time.Time, told story, changes []Change) (Change, error) {
	last, err := v.lastEntry()
	if err != nil {
		return Change{}, err
	}
	e := audit.Entry{Time: at, Actor: a.actor.Name, Action: a.action, Target: a.target,
		Before: told.before, After: told.after, Wrote: map[string]string{}}
	for i, sum := range cores.Map(changes, func(c Change) string { return digestOfOurs(c.Value) }) {
		e.Wrote[changes[i].Name] = sum
	}
	if e, err = key.Link(last, e); err != nil {
		return Change{}, err
	}
	value, err := toJSON(e)
	return Change{Name: auditName(e.Seq), Value: value}, err
}

// digestOfOurs is the digest of a value that was encoded here: it has no blanks.
func digestOfOurs(value []byte) string {
	if value == nil {
		return ""
	}
	return audit.Digest(value)
}

// hasDigest tells whether digest is that of value. Most values are compact as they
// are, and need not be made so.
func hasDigest(value []byte, wanted string) bool {
	return audit.Digest(value) == wanted || digest(value) == wanted
}

// digest does not mind white space: a store may write a value its own way.
func digest(value []byte) string {
	if value == nil {
		return ""
	}
	document := compact(value)
	if document == nil {
		return "not JSON"
	}
	return audit.Digest(document)
}

// summary is what an entry tells of a project: its states, no secrets and no keys.
func summary(p Project) (json.RawMessage, error) {
	type key struct {
		ID    KeyID  `json:"key_id"`
		State string `json:"state"`
		Ends
	}
	type credential struct {
		AccessKey AccessKey `json:"access_key"`
		ExpiresAt time.Time `json:"expires_at,omitzero"`
	}
	out := struct {
		State       string       `json:"state"`
		Credentials []credential `json:"credentials"`
		Keys        []key        `json:"keys"`
	}{State: projectState(p.Suspended), Credentials: []credential{}, Keys: []key{}}
	for _, c := range p.Credentials {
		out.Credentials = append(out.Credentials, credential{c.AccessKey, c.ExpiresAt})
	}
	for _, k := range p.Keys {
		out.Keys = append(out.Keys, key{k.ID, k.State.String(), k.Ends})
	}
	return toJSON(out)
}
