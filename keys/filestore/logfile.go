package filestore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
)

// maxHeaderLen is more than the longest header line has.
const maxHeaderLen = 512

// logFile is a log that is open for reading. Other processes may append to it
// and replace it meanwhile: up to an acknowledged length it never changes.
type logFile struct {
	path      string
	content   io.ReaderAt
	size      int64 // when it was opened
	header    header
	headerLen int64
	headerSum string
}

// openLog opens a log and reads its header. The caller must close the file.
func openLog(path string) (*logFile, io.Closer, error) {
	f, info, err := openFile(path)
	if err != nil {
		return nil, nil, err
	}
	l := &logFile{path: path, content: f, size: info.Size()}
	if err = l.readHeader(); err == nil {
		return l, f, nil
	}
	_ = f.Close() // nothing was written through it
	return nil, nil, err
}

func (l *logFile) readHeader() error {
	b, err := l.section(0, min(l.size, maxHeaderLen))
	if err != nil {
		return err
	}
	line := b[:bytes.IndexByte(b, '\n')+1]
	content, sum, wrong := unseal(nil, line)
	h, ok := scanHeader(content)
	if wrong == "" && !ok {
		wrong = "it is not a header of the form kmproxy_store 1"
	}
	if wrong != "" {
		return damaged(l.path, flaw{line: 1, what: wrong})
	}
	l.header, l.headerLen, l.headerSum = h, int64(len(line)), string(sum)
	return nil
}

// acknowledged returns the head that holds for this log, given the one on the
// disk. That may be the head of the log which this one replaces: then all of
// this one was written before it took its place.
func (l *logFile) acknowledged(onDisk head) (head, error) {
	if l.size <= maxLog && l.header.generation == onDisk.generation+1 && l.header.replaces == onDisk.last {
		return head{l.header.generation, l.header.rev, l.size, l.lastSum(l.size)}, nil
	}
	wrong := ""
	switch {
	case l.size > maxLog:
		wrong = fmt.Sprintf("it has %d bytes, and %d are the most that it may have; %d were acknowledged", l.size, int64(maxLog), onDisk.length)
	case onDisk == head{}:
		wrong = "head.json is missing beside it"
	case l.header.generation != onDisk.generation:
		wrong = fmt.Sprintf("it is generation %d of the log, but head.json names generation %d", l.header.generation, onDisk.generation)
	case l.size < onDisk.length:
		wrong = fmt.Sprintf("it has %d bytes, but %d were acknowledged", l.size, onDisk.length)
	case l.size-onDisk.length > maxLine:
		wrong = fmt.Sprintf("it has %d bytes, but %d were acknowledged, and what follows is too long for a commit", l.size, onDisk.length)
	case l.goesOn(onDisk):
		wrong = fmt.Sprintf("it goes on for several commits after revision %d: head.json is an old copy", onDisk.rev)
	}
	if wrong != "" {
		return head{}, damaged(l.path, wrong)
	}
	return onDisk, nil
}

// goesOn tells whether two whole commits follow the head.
func (l *logFile) goesOn(h head) bool {
	var next [][]byte
	for lines, err := range l.chunks(h.length, l.size, chunkLen) {
		if err != nil {
			return false
		}
		if next = append(next, lines...); len(next) >= 2 {
			_, _, err = parse(h.last, next[:2], 0)
			return err == nil
		}
	}
	return false
}

// lastSum is the sum of the line that ends at length, or something else that is
// not it.
func (l *logFile) lastSum(length int64) string {
	b, err := l.section(max(0, length-int64(sealLen)), length)
	if err != nil {
		return ""
	}
	_, sum, _ := takeApart(b)
	return string(sum)
}

// chunkLen is how much of a log is read at once, if no line is longer.
const chunkLen = 4 << 20

// chunks reads the lines between two offsets, some at a time, each with its line
// break if it has one. The lines of a chunk share its memory, which goes when the
// last value of them is replaced.
func (l *logFile) chunks(from, to, size int64) iter.Seq2[[][]byte, error] {
	return func(yield func([][]byte, error) bool) {
		if from > to {
			yield(nil, damaged(l.path, "its acknowledged part ends within its first line"))
			return
		}
		for from < to {
			whole, err := l.section(from, min(from+size, to))
			if err != nil {
				yield(nil, err)
				return
			}
			if from+size < to {
				whole = whole[:bytes.LastIndexByte(whole, '\n')+1]
			}
			if len(whole) == 0 && size > maxLine {
				yield(nil, damaged(l.path, fmt.Sprintf("the line at byte %d of %d has more than %d bytes", from, l.size, int64(maxLine))))
				return
			}
			if len(whole) == 0 {
				size *= 2 // the line is longer
				continue
			}
			if !yield(slices.Collect(bytes.Lines(whole)), nil) {
				return
			}
			from += int64(len(whole))
		}
	}
}

func (l *logFile) section(from, to int64) ([]byte, error) {
	b := make([]byte, to-from)
	n, err := l.content.ReadAt(b, from)
	switch {
	case n == len(b):
		return b, nil
	case errors.Is(err, io.EOF):
		return nil, damaged(l.path, "it became shorter while it was read")
	}
	return nil, err
}
