package filestore

import (
	"fmt"
	"strconv"

	"kmproxy/keys"
	"kmproxy/keys/internal/changes"
)

// header is the first line of a log.
type header struct {
	generation uint64        // 1 for the first log of a store, one more for each rewrite
	rev        keys.Revision // of the commit that wrote this log
	at         string        // its time, for people, RFC 3339 in UTC
	kept       int           // how many lines with one live entry each follow
	replaces   string        // last sum of the log before this one, empty for the first
}

// record is any other line: the changes of one commit, or one live entry that a
// rewrite kept under the revision that set it, and then without a time.
type record struct {
	rev     keys.Revision
	at      string
	changes []keys.Change // Erase is not recorded
}

func appendHeader(b []byte, h header) []byte {
	b = append(b, `{"kmproxy_store":1,"generation":`...)
	b = strconv.AppendUint(b, h.generation, 10)
	b = append(b, `,"rev":`...)
	b = strconv.AppendUint(b, uint64(h.rev), 10)
	b = append(b, `,"at":"`+h.at+`","kept":`...)
	b = strconv.AppendInt(b, int64(h.kept), 10)
	return append(b, `,"replaces":"`+h.replaces+`"`...)
}

func scanHeader(content []byte) (header, bool) {
	s := scanner{rest: content}
	var h header
	s.literal(`{"kmproxy_store":1,"generation":`)
	h.generation = s.number()
	s.literal(`,"rev":`)
	h.rev = keys.Revision(s.number())
	s.literal(`,"at":`)
	h.at = s.text()
	s.literal(`,"kept":`)
	kept := s.number()
	h.kept = int(kept)
	s.literal(`,"replaces":`)
	h.replaces = s.text()
	return h, s.done() && h.generation > 0 && h.rev > 0 && h.kept >= 0 && uint64(h.kept) == kept
}

func appendRecord(b []byte, r record) []byte {
	b = append(b, `{"rev":`...)
	b = strconv.AppendUint(b, uint64(r.rev), 10)
	if r.at != "" {
		b = append(b, `,"at":"`+r.at+`"`...)
	}
	return appendDeleted(appendSet(b, r.changes), r.changes)
}

// room is enough for the record's sealed line.
func (r record) room() int {
	n := sealLen + 100 // the frame and the time
	for _, c := range r.changes {
		n += len(c.Name) + len(c.Value) + len(`"":,`)
	}
	return n
}

// fits refuses a record with a change that no line could hold, not even alone: the
// log that has it could not be read.
func (r record) fits() error {
	for _, c := range r.changes {
		if n := (record{r.rev, r.at, []keys.Change{c}}).room(); n > maxLine {
			return fmt.Errorf("%w: entry %s takes a line of %d bytes, and %d are the most that it may have", keys.ErrTooLarge, c.Name, n, maxLine)
		}
	}
	return nil
}

func appendSet(b []byte, all []keys.Change) []byte {
	before, after := `,"set":{`, ""
	for _, c := range all {
		if c.Value != nil {
			b = append(b, before+`"`+c.Name+`":`...)
			b = append(b, c.Value...)
			before, after = ",", "}"
		}
	}
	return append(b, after...)
}

func appendDeleted(b []byte, all []keys.Change) []byte {
	before, after := `,"del":[`, ""
	for _, c := range all {
		if c.Value == nil {
			b = append(b, before+`"`+c.Name+`"`...)
			before, after = ",", "]"
		}
	}
	return append(b, after...)
}

// scanRecord returns values that are parts of content.
func scanRecord(content []byte) (record, bool) {
	s := scanner{rest: content}
	var r record
	s.literal(`{"rev":`)
	r.rev = keys.Revision(s.number())
	if s.ahead(`,"at":`) {
		r.at = s.text()
		s.failed = s.failed || r.at == ""
	}
	if s.ahead(`,"set":{`) {
		for more := true; more; more = s.ahead(`,`) {
			name := s.name()
			s.literal(`:`)
			r.changes = append(r.changes, keys.Change{Name: name, Value: s.value()})
		}
		s.literal(`}`)
	}
	if s.ahead(`,"del":[`) {
		for more := true; more; more = s.ahead(`,`) {
			r.changes = append(r.changes, keys.Change{Name: s.name()})
		}
		s.literal(`]`)
	}
	return r, s.done()
}

func (s *scanner) name() string {
	name := s.text()
	if !changes.ValidName(name) {
		s.fail()
	}
	return name
}
