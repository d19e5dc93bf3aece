package main

import (
	"errors"
	"io"
	"time"
)

// errStalled reports an input or output that was given up because the program is to end.
var errStalled = errors.New("its other end stalled, and the program is to end")

// stalling is an input or output whose other end may stall for as long as it likes
// until ended is closed. After that, each read and write has flushTime, so that a
// signal ends the program and not only what it does besides.
type stalling struct {
	ended <-chan struct{} // nil: never
	from  io.Reader
	to    io.Writer
}

func (e *env) reader(from io.Reader) io.Reader { return stalling{ended: e.ended, from: from} }

func (e *env) writer(to io.Writer) io.Writer { return stalling{ended: e.ended, to: to} }

// pieceBytes is how much is read or written at once. It is copied, because a read or
// write that was given up still has its bytes.
const pieceBytes = 64 << 10

// Read implements io.Reader.
func (s stalling) Read(p []byte) (int, error) {
	piece := make([]byte, min(len(p), pieceBytes))
	n, err := s.try(func() (int, error) { return s.from.Read(piece) })
	return copy(p, piece[:n]), err
}

// Write implements io.Writer.
func (s stalling) Write(p []byte) (written int, err error) {
	for len(p) > 0 && err == nil {
		piece := append([]byte(nil), p[:min(len(p), pieceBytes)]...)
		var n int
		n, err = s.try(func() (int, error) { return s.to.Write(piece) })
		written, p = written+n, p[n:]
	}
	return written, err
}

// try does act, and leaves it behind when it takes too long.
func (s stalling) try(act func() (int, error)) (int, error) {
	type outcome struct {
		n   int
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		n, err := act()
		done <- outcome{n, err}
	}()
	select {
	case o := <-done:
		return o.n, o.err
	case <-s.ended:
	}
	late := time.NewTimer(flushTime)
	defer late.Stop()
	select {
	case o := <-done:
		return o.n, o.err
	case <-late.C:
		return 0, errStalled
	}
}
