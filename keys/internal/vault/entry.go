package vault

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"kmproxy/crypto/envelope"
	"kmproxy/keys"
	"kmproxy/keys/audit"
	"kmproxy/keys/internal/cores"
)

const (
	auditPrefix   = "audit/"
	auditKeyField = "key"
)

// AuditKeyName is the record that seals the key of the audit chain.
const AuditKeyName = "audit-key"

// auditName sorts as the numbers do.
func auditName(seq uint64) string { return fmt.Sprintf("%s%012d", auditPrefix, seq) }

// auditKey opens the chain's key. Its error is ErrDamaged.
func (v *View) AuditKey() (audit.Key, error) {
	entry, ok := v.Entries[AuditKeyName]
	if !ok {
		return audit.Key{}, Damaged(AuditKeyName, errors.New("it is missing"))
	}
	r, err := readSealed(AuditKeyName, entry.Value)
	if err != nil {
		return audit.Key{}, err
	}
	secret, err := r.open(v.Master, AuditKeyName)
	if err != nil {
		return audit.Key{}, err
	}
	return audit.ReadKey(secret)
}

// newAuditKey makes the key of a new store's chain, and its record.
func newAuditKey(master envelope.Key) (audit.Key, keys.Change, error) {
	k, r := audit.NewKey(), record{Version: 1}
	r.Sealed = master.Seal(r.place(AuditKeyName), nil, k.Secret().Expose())
	value, err := JSON(r)
	return k, keys.Change{Name: AuditKeyName, Value: value}, err
}

// lastEntry is the newest audit entry; nil if there is none.
func (v *View) lastEntry() (*audit.Entry, error) {
	last := ""
	for name := range v.Entries {
		if strings.HasPrefix(name, auditPrefix) && name > last {
			last = name
		}
	}
	if last == "" {
		return nil, nil
	}
	e, err := readEntry(last, v.Entries[last].Value)
	return &e, err
}

func readEntry(name string, value []byte) (audit.Entry, error) {
	var e audit.Entry
	if err := json.Unmarshal(value, &e); err != nil {
		return e, Damaged(name, errors.New("it is not an audit entry"))
	}
	if auditName(e.Seq) != name {
		return e, Damaged(name, fmt.Errorf("it is entry %d", e.Seq))
	}
	return e, nil
}

// Difference is what an entry tells of a change for people, without secrets. Either
// part may be missing.
type Difference struct{ Before, After json.RawMessage }

// difference is how a project was and is to be.
func (v *View) difference(after keys.Project) (d Difference, err error) {
	if _, known := v.Entries[ProjectName(after.ASPID)]; known {
		before, err := v.Shown(after.ASPID)
		if err != nil {
			return d, err
		}
		if d.Before, err = summary(before); err != nil {
			return d, err
		}
	}
	d.After, err = summary(after)
	return d, err
}

// AuditEntry is the audit entry that goes with changes, in the same commit: a change
// without its entry cannot be.
func (v *View) AuditEntry(key audit.Key, a Act, told Difference, changes []keys.Change) (keys.Change, error) {
	last, err := v.lastEntry()
	if err != nil {
		return keys.Change{}, err
	}
	e := audit.Entry{Time: v.Now, Actor: a.Actor.Name, Action: a.Action, Target: a.Target,
		Before: told.Before, After: told.After, Wrote: map[string]string{}}
	for i, sum := range cores.Map(changes, func(c keys.Change) string { return digestOfOurs(c.Value) }) {
		e.Wrote[changes[i].Name] = sum
	}
	if e, err = key.Link(last, e); err != nil {
		return keys.Change{}, err
	}
	value, err := JSON(e)
	return keys.Change{Name: auditName(e.Seq), Value: value}, err
}

// digestOfOurs is the digest of a value that was encoded here: it has no blanks.
func digestOfOurs(value []byte) string {
	if value == nil {
		return ""
	}
	return audit.Digest(value)
}

// hasDigest reports whether digest is that of value. Most values are compact as they
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
func summary(p keys.Project) (json.RawMessage, error) {
	type key struct {
		ID    keys.KeyID `json:"key_id"`
		State string     `json:"state"`
		keys.Ends
	}
	type credential struct {
		AccessKey keys.AccessKey `json:"access_key"`
		ExpiresAt time.Time      `json:"expires_at,omitzero"`
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
	return JSON(out)
}
