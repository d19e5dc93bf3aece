package logqueue

import (
	"bytes"
	"io"
)

// run writes what is waiting until the Queue is closed.
func (q *Queue) run() {
	defer close(q.done)
	w := writer{to: q.to}
	for range q.wake {
		for q.step(&w) {
		}
		if q.ended() {
			return
		}
	}
}

// step writes one batch and reports whether there may be another. Lines that could
// not be written are dropped; they are reported with the next line, which may fare
// better, and not at once, which would only fail again.
func (q *Queue) step(w *writer) (more bool) {
	text, dropped := q.take()
	if len(text) == 0 {
		return false
	}
	n := w.write(text)
	return q.written(n, dropped) || n == len(text)
}

// take moves what is waiting to what is being written, and puts the notice of lines
// that were dropped behind it: they came later than the ones that were kept. It
// returns the number of dropped lines that the notice reports.
func (q *Queue) take() (text []byte, dropped uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.writing, q.waiting = q.waiting, batch{text: q.writing.text}
	if dropped = q.dropped - q.told; dropped > 0 {
		q.writing.text = append(q.writing.text, q.notice(dropped)...)
		q.writing.lines++
		q.told = q.dropped
	}
	return q.writing.text, dropped
}

// written ends a batch of which n bytes were written, and reports whether lines are
// waiting. A notice that was not written leaves what it reported unreported; it does
// not count as a line of its own.
func (q *Queue) written(n int, dropped uint64) (waiting bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if lost := bytes.Count(q.writing.text[n:], []byte{'\n'}); lost > 0 {
		if dropped > 0 { // the notice is the last line
			lost--
			q.told -= dropped
		}
		q.dropped += uint64(lost)
	}
	q.writing = batch{text: q.writing.text[:0]}
	if cap(q.writing.text) > keepBytes {
		q.writing.text = nil
	}
	return q.waiting.lines > 0
}

func (q *Queue) ended() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

// writer writes whole batches.
type writer struct {
	to   io.Writer
	torn bool // the last line that was written has no end
}

// write returns how many bytes of text were written. After a line that was cut, as
// on a full disk, the next one begins on a line of its own.
func (w *writer) write(text []byte) int {
	if w.torn {
		if _, err := w.to.Write([]byte{'\n'}); err != nil {
			return 0
		}
		w.torn = false
	}
	n, err := w.to.Write(text)
	n = max(0, min(n, len(text)))
	if err != nil && n > 0 {
		w.torn = text[n-1] != '\n'
	}
	return n
}
