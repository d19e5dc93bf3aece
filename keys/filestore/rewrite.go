package filestore

import (
	"bufio"
	"io"
	"maps"
	"path/filepath"
	"slices"

	"kmproxy/keys"
	"kmproxy/keys/internal/disk"
)

const (
	// wasteAllowed is how many superseded bytes are not worth a rewrite.
	wasteAllowed = 1 << 20
	// keptLen is about what a kept line has around its name and value.
	keptLen = sealLen + len(`{"rev":1000,"set":{"":}`)
)

// wasteful tells whether a log of that length holds more superseded bytes than
// live ones.
func wasteful(length int64, next keys.Snapshot) bool {
	live := int64(0)
	for name, e := range next.Entries {
		live += int64(keptLen + len(name) + len(e.Value))
	}
	return length-live > max(live, wasteAllowed)
}

// rewriteLog puts a log with nothing but the live entries in the place of the one
// that h names. All that can fail for want of space is done before.
func (s *Store) rewriteLog(h head, snap keys.Snapshot, at string) (next head, err error) {
	defer func() {
		if err != nil {
			_ = s.discardStaged()
		}
	}()
	if h.generation == 0 { // the folder may be as new as the log
		if err := s.disk.SyncFolder(filepath.Dir(s.dir)); err != nil {
			return head{}, err
		}
	}
	top := header{h.generation + 1, snap.Revision, at, len(snap.Entries), h.last}
	err = s.stage(s.path(logName), func(f *disk.File) error {
		next, err = writeLog(f, top, snap.Entries)
		return err
	})
	if err != nil {
		return head{}, err
	}
	if err := s.stageHead(next); err != nil {
		return head{}, err
	}
	if err := s.publish(s.path(logName)); err != nil {
		return head{}, err
	}
	return next, s.publish(s.path(headName))
}

// writeLog writes a log without commits and returns its head.
func writeLog(to io.Writer, top header, entries map[string]keys.Entry) (head, error) {
	w := bufio.NewWriterSize(to, 1<<20)
	h := head{generation: top.generation, rev: top.rev}
	line := appendHeader(nil, top)
	write := func() error {
		line, h.last = seal(line, 0, h.last)
		h.length += int64(len(line))
		_, err := w.Write(line)
		return err
	}
	if err := write(); err != nil {
		return head{}, err
	}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		e := entries[name]
		line = appendRecord(line[:0], record{rev: e.Revision, changes: []keys.Change{{Name: name, Value: e.Value}}})
		if err := write(); err != nil {
			return head{}, err
		}
	}
	return h, w.Flush()
}
