package filestore

import (
	"bytes"
	"reflect"
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/internal/changes"
)

// FuzzReadLog gives the reader any bytes for a log, as they are and with sums
// that fit: it must not panic, and what it takes must be exactly what a writer of
// the same content would have written.
func FuzzReadLog(f *testing.F) {
	header := `{"kmproxy_store":1,"generation":1,"rev":2,"at":"2026-10-05T09:30:00Z","kept":1,"replaces":""`
	for _, seed := range []string{
		"",
		"\n",
		header,
		header + "\n" + `{"rev":1,"set":{"a":{"b":["\"}\\",null]}}`,
		header + "\n" + `{"rev":2,"set":{"a":1}` + "\n" + `{"rev":3,"at":"x","set":{"a":2,"b":"c"},"del":["d","e"]`,
		header + "\n" + `{"rev":02,"set":{"a":1}`,
		header + "\n" + `{"rev":1,"set":{"a":"\`,
		header + "\n" + `{"rev":1,"set":{"a":]]}`,
		header + "\n" + `{"rev":18446744073709551616,"set":{"a":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		readBack(t, b)
		sealed, prev := []byte(nil), ""
		for content := range bytes.SplitSeq(b, []byte("\n")) {
			start := len(sealed)
			sealed, prev = seal(append(sealed, content...), start, prev)
		}
		readBack(t, sealed)
	})
}

func readBack(t *testing.T, b []byte) {
	l := &logFile{path: "log", content: bytes.NewReader(b), size: int64(len(b))}
	if err := l.readHeader(); err != nil {
		return
	}
	r := l.replay()
	again, prev := seal(appendHeader(nil, l.header), 0, "")
	for lines, err := range l.chunks(l.headerLen, l.size, 16) {
		if err != nil {
			t.Fatal(err)
		}
		records, _, err := parse(r.last, lines, r.line)
		if err != nil || r.add(lines) != nil {
			return
		}
		for _, one := range records {
			start := len(again)
			again, prev = seal(appendRecord(again, one), start, prev)
		}
	}
	if r.end() != nil {
		return
	}
	if !bytes.Equal(again, b) {
		t.Errorf("read\n%q\nbut would write\n%q", b, again)
	}
}

// FuzzWriteAndRead wants what was written back.
func FuzzWriteAndRead(f *testing.F) {
	f.Add("a", []byte(`{"b":["\"}\\",null]}`), "c", []byte(`"é"`), "d")
	f.Add("a", []byte(` [ ] `), "A", []byte(`0`), "")
	f.Fuzz(func(t *testing.T, a string, x []byte, b string, y []byte, deleted string) {
		given := []keys.Change{{Name: a, Value: x}, {Name: b, Value: y}}
		if deleted != "" {
			given = append(given, keys.Change{Name: deleted})
		}
		prepared, err := changes.Prepare(given)
		if err != nil || x == nil || y == nil {
			return
		}
		want := record{rev: 7, at: "2026-10-05T09:30:00Z", changes: prepared}
		line, _ := seal(appendRecord(nil, want), 0, "before")
		got, err := parseLine([]byte("before"), line, 1)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("wrote %+v as %s, read %+v and %v", want, line, got, err)
		}
	})
}

// FuzzReadHead wants no panic, and one form only for each head.
func FuzzReadHead(f *testing.F) {
	f.Add([]byte(`{"kmproxy_head":1,"generation":2,"rev":5,"length":879,"last":"71ab"`))
	f.Add([]byte(`{"kmproxy_head":1,"generation":2,"rev":5,"length":9223372036854775808,"last":""`))
	f.Fuzz(func(t *testing.T, content []byte) {
		if h, ok := scanHead(content); ok && !bytes.Equal(appendHead(nil, h), content) {
			t.Errorf("read %q as %+v", content, h)
		}
	})
}
