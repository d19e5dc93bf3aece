package filestore

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"

	"kmproxy/keys"
	"kmproxy/keys/internal/disk"
)

// head says how far a log is acknowledged. The zero head is that of a store
// without a log.
type head struct {
	generation uint64
	rev        keys.Revision
	length     int64  // bytes of the log up to the end of the last commit
	last       string // sum of the line that ends there
}

// readHead returns the zero head if there is no head.json.
func (s *Store) readHead() (head, error) {
	b, err := readBounded(s.path(headName), maxHead)
	if errors.Is(err, os.ErrNotExist) {
		return head{}, nil
	}
	if err != nil {
		return head{}, err
	}
	content, _, wrong := unseal(nil, b)
	h, ok := scanHead(content)
	if wrong == "" && !ok {
		wrong = "it does not have the form of kmproxy_head 1"
	}
	if wrong != "" {
		return head{}, damaged(s.path(headName), wrong)
	}
	return h, nil
}

func appendHead(b []byte, h head) []byte {
	b = append(b, `{"kmproxy_head":1,"generation":`...)
	b = strconv.AppendUint(b, h.generation, 10)
	b = append(b, `,"rev":`...)
	b = strconv.AppendUint(b, uint64(h.rev), 10)
	b = append(b, `,"length":`...)
	b = strconv.AppendInt(b, h.length, 10)
	return append(b, `,"last":"`+h.last+`"`...)
}

func scanHead(content []byte) (head, bool) {
	s := scanner{rest: content}
	var h head
	s.literal(`{"kmproxy_head":1,"generation":`)
	h.generation = s.number()
	s.literal(`,"rev":`)
	h.rev = keys.Revision(s.number())
	s.literal(`,"length":`)
	length := s.number()
	h.length = int64(min(length, math.MaxInt64))
	s.literal(`,"last":`)
	h.last = s.text()
	return h, s.done() && h.generation > 0 && uint64(h.length) == length
}

// stageHead writes the head beside the one that stands.
func (s *Store) stageHead(h head) error {
	sealed, _ := seal(appendHead(nil, h), 0, "")
	if err := s.stage(s.path(headName), func(f *disk.File) error {
		_, err := f.Write(sealed)
		return err
	}); err != nil {
		return fmt.Errorf("acknowledge revision %d: %w", h.rev, err)
	}
	return nil
}
