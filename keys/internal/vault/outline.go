package vault

import (
	"bytes"
	"encoding/json"
	"strconv"

	"kmproxy/crypto/envelope"
	"kmproxy/keys"
)

// showQuickly is Show for a record in the very form that encode writes, which is
// every record of a store that nobody touched. The parts are cut out unread: that
// the sealed one opens beside the plain one proves both. What it does not take,
// Show judges.
func showQuickly(master envelope.Key, name string, value []byte) (keys.Project, bool) {
	o, ok := outlineOf(value)
	if !ok || !master.Proves(record{Version: o.version}.place(name), o.plain, o.sealed) {
		return keys.Project{}, false
	}
	var plain plainProject
	if json.Unmarshal(o.plain, &plain) != nil || ProjectName(plain.ASPID) != name {
		return keys.Project{}, false
	}
	p, err := plain.project()
	return p, err == nil
}

// outline is a record in parts of its own bytes.
type outline struct {
	version       uint64
	plain, sealed []byte
}

// outlineOf cuts a record of the form {"version":1,"plain":{…},"sealed":"…"} into
// its parts, without a look into them.
func outlineOf(value []byte) (o outline, ok bool) {
	rest, ok := bytes.CutPrefix(value, []byte(`{"version":`))
	if !ok {
		return o, false
	}
	digits, rest, ok := bytes.Cut(rest, []byte(`,"plain":`))
	if !ok {
		return o, false
	}
	var err error
	if o.version, err = strconv.ParseUint(string(digits), 10, 64); err != nil || len(digits) > 1 && digits[0] == '0' {
		return o, false
	}
	if rest, ok = bytes.CutSuffix(rest, []byte(`"}`)); !ok {
		return o, false
	}
	o.plain, o.sealed, ok = bytes.Cut(rest, []byte(`,"sealed":"`)) // the first one: if another was meant, it proves nothing
	return o, ok
}

// record is what the outline was made of, if its parts are what they should be: the
// very record that a decoder of JSON makes of it, and it has no other members.
func (o outline) record() (record, bool) {
	r := record{Version: o.version, Plain: o.plain, Sealed: string(o.sealed)}
	isObject := bytes.HasPrefix(o.plain, []byte("{")) && bytes.HasSuffix(o.plain, []byte("}")) && json.Valid(o.plain)
	return r, isObject && isBare(o.sealed)
}

// isBare reports whether a text stands in JSON as it is.
func isBare(text []byte) bool {
	for _, c := range text {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
