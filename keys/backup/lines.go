package backup

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// Bounds of what is read: those of a file store, which could hold no more. A file
// beyond them is no backup of ours.
const (
	maxLine  = 64 << 20
	maxTotal = 8 << 30
	maxUses  = 256 << 20 // bytes of the lines that say how often keys were used
)

// lines reads a backup line by line, within bounds.
type lines struct {
	from  *bufio.Reader
	total int64
}

func newLines(from io.Reader) *lines { return &lines{from: bufio.NewReaderSize(from, 1<<16)} }

// next returns a line with its end, which only the last may lack, or io.EOF. Its memory
// grows with what was read.
func (l *lines) next() ([]byte, error) {
	var line []byte
	for {
		part, err := l.from.ReadSlice('\n')
		l.total += int64(len(part))
		if len(line)+len(part) > maxLine {
			return nil, fmt.Errorf("%w: a line is longer than %d bytes", ErrBad, maxLine)
		}
		if l.total > maxTotal {
			return nil, fmt.Errorf("%w: it is longer than %d bytes", ErrBad, int64(maxTotal))
		}
		line = append(line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		default:
			return line, err
		}
	}
}
