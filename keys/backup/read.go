package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"kmproxy/keys"
	"kmproxy/keys/internal/vault"
)

// Read reads a backup and proves that it is whole: nothing missing, added,
// changed or in another place, and that every record is the one which was last
// audited. Its error is ErrBad and says on which line, or that of from.
func Read(from io.Reader) (Backup, error) {
	r := &reader{sum: sha256.New()}
	if err := r.lines(newLines(from)); err != nil {
		return Backup{}, err
	}
	if err := r.whole(); err != nil {
		return Backup{}, fmt.Errorf("%w: %w", ErrBad, err)
	}
	if err := vault.CheckContent(r.backup.Store); err != nil {
		return Backup{}, fmt.Errorf("%w: %w", ErrBad, err)
	}
	return r.backup, nil
}

func (r *reader) lines(from *lines) error {
	for {
		line, err := from.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading line %d of the backup: %w", r.number+1, err)
		}
		r.number++
		if err := r.line(line); err != nil {
			return fmt.Errorf("%w: line %d: %w", ErrBad, r.number, err)
		}
	}
}

// reader takes a backup line by line.
type reader struct {
	number int // of the line at hand, from 1
	top    header
	backup Backup
	last   string // name of the record before
	uses   int    // bytes of the lines of uses
	ended  bool
	sum    hash.Hash
}

var (
	errTruncated = errors.New("it is truncated: the closing line is missing")
	errForm      = errors.New("it is not a line of a backup")
	errSum       = errors.New("the sum of the lines before is another: one of them was changed")
)

func (r *reader) line(line []byte) error {
	content, whole := bytes.CutSuffix(line, []byte("\n"))
	switch {
	case r.ended:
		return errors.New("there is something behind the closing line")
	case !whole:
		return errTruncated
	case r.number == 1:
		return r.header(line, content)
	}
	var kind struct {
		Record *string         `json:"record"`
		Value  json.RawMessage `json:"value"`
		Use    *keys.Use       `json:"use"`
		closing
	}
	if err := json.Unmarshal(content, &kind); err != nil {
		return errForm
	}
	if kind.End {
		r.ended = true
		return r.close(kind.Sum)
	}
	_, _ = r.sum.Write(line) // never fails
	switch {
	case kind.Record != nil && kind.Value != nil:
		return r.record(*kind.Record, kind.Value)
	case kind.Use != nil:
		if r.uses += len(line); r.uses > maxUses {
			return fmt.Errorf("the lines of uses have more than %d bytes", maxUses)
		}
		r.backup.Uses = append(r.backup.Uses, *kind.Use)
		return nil
	}
	return errForm
}

func (r *reader) header(line, content []byte) error {
	_, _ = r.sum.Write(line)
	if err := json.Unmarshal(content, &r.top); err != nil || r.top.Version == 0 {
		return errors.New("it is not the header of a backup")
	}
	if r.top.Version != 1 {
		return fmt.Errorf("it is of form %d: a newer kmproxy wrote it: restore it with that one", r.top.Version)
	}
	r.backup.CreatedAt = r.top.CreatedAt
	r.backup.Store = keys.Snapshot{Revision: r.top.Revision, Entries: map[string]keys.Entry{}}
	return nil
}

func (r *reader) record(name string, value json.RawMessage) error {
	switch {
	case len(r.backup.Uses) > 0:
		return fmt.Errorf("record %q stands behind the uses: it was moved", name)
	case name == r.last:
		return fmt.Errorf("record %q stands here twice", name)
	case strings.Compare(name, r.last) < 0:
		return fmt.Errorf("record %q stands behind %q: it was moved", name, r.last)
	}
	r.last = name
	r.backup.Store.Entries[name] = keys.Entry{Value: value, Revision: r.top.Revision}
	return nil
}

func (r *reader) close(sum string) error {
	switch {
	case len(r.backup.Store.Entries) != r.top.Records:
		return fmt.Errorf("there are %d records before it, but the header says %d", len(r.backup.Store.Entries), r.top.Records)
	case len(r.backup.Uses) != r.top.Uses:
		return fmt.Errorf("there are %d uses before it, but the header says %d", len(r.backup.Uses), r.top.Uses)
	case hex.EncodeToString(r.sum.Sum(nil)) != sum:
		return errSum
	}
	return nil
}

func (r *reader) whole() error {
	switch {
	case r.number == 0:
		return errors.New("it is empty")
	case !r.ended:
		return errTruncated
	}
	return nil
}
