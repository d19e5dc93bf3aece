package filestore

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"time"
)

const (
	proofTime = 3 * time.Second   // between two proofs of a log that is small or was touched
	proofRest = 2 * watchInterval // after a proof of a log that was touched
	settled   = 2 * time.Second   // after which another write would give another mark
	proofs    = 100               // a log that nothing touched is read for 1/proofs of the time
	someBytes = 1 << 20           // that are read at once
)

// proof is when the log is read again to see that what was acknowledged is still
// there: soon after it was touched, since an append and damage look alike, and
// else so seldom that it costs one percent of a processor at most.
type proof struct {
	touched      time.Time // when the log was last seen to have another mark
	began, ended time.Time
}

func (p *proof) isDue() bool {
	took := p.ended.Sub(p.began)
	rest := max(proofTime, proofs*took)
	if p.began.Before(p.touched.Add(settled)) {
		rest = min(max(proofRest, 10*took), proofTime)
	}
	return time.Since(p.ended) >= rest
}

func (p *proof) of(ctx context.Context, s *Store) bool {
	p.began = time.Now()
	holds := s.holds(ctx)
	p.ended = time.Now()
	return holds
}

// holds reports whether the part of the log that was verified last is still the
// same. If it is not, the next Load reads all of it.
func (s *Store) holds(ctx context.Context) bool {
	s.mu.Lock()
	h := s.seen.head
	s.mu.Unlock()
	if h == (head{}) || s.logHolds(ctx, h) || ctx.Err() != nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen.head == h {
		s.seen = view{}
	}
	return false
}

// logHolds does not judge a log that was rewritten since: Load reads all of that.
func (s *Store) logHolds(ctx context.Context, h head) bool {
	l, file, err := openLog(s.path(logName))
	if err != nil {
		return false
	}
	defer file.Close()
	return l.header.generation != h.generation || l.leadsTo(ctx, h)
}

// leadsTo reports whether the sums of all lines up to h are right.
func (l *logFile) leadsTo(ctx context.Context, h head) bool {
	lines := bufio.NewScanner(io.NewSectionReader(l.content, l.headerLen, h.length-l.headerLen))
	lines.Buffer(make([]byte, someBytes), maxLine+1)
	lines.Split(wholeLines)
	last := []byte(l.headerSum)
	for lines.Scan() {
		_, sum, wrong := unseal(last, lines.Bytes())
		if wrong != "" || ctx.Err() != nil {
			return false
		}
		last = append(last[:0], sum...)
	}
	return lines.Err() == nil && string(last) == h.last
}

// wholeLines is a bufio.SplitFunc for lines with their line break.
func wholeLines(data []byte, atEnd bool) (advance int, token []byte, err error) {
	if end := bytes.IndexByte(data, '\n') + 1; end > 0 {
		return end, data[:end], nil
	}
	if atEnd && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}
