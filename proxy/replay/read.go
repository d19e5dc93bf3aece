package replay

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
)

var errFormat = errors.New("it does not begin as a file of the replay memory")

// read calls each for every record of a file that is whole, most of them at most,
// and returns how many were damaged. A torn record at the end is none: its claim
// was never reported as recorded. each returns false to stop.
func read(path string, most int, each func(record) bool) (damaged int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }() // it was only read
	if about, err := f.Stat(); err != nil || !about.Mode().IsRegular() {
		return 0, errors.Join(err, errFormat)
	}
	return readRecords(bufio.NewReaderSize(f, 1<<16), most, each)
}

func readRecords(from io.Reader, most int, each func(record) bool) (damaged int, err error) {
	var line [recordBytes]byte
	n, err := io.ReadFull(from, line[:])
	if errors.Is(err, io.EOF) || err == nil && string(line[:]) == header {
		return readRest(from, line[:], most, each)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) && string(line[:n]) == header[:n] {
		return 0, nil // the first write was torn
	}
	return 0, errors.Join(errFormat, err)
}

func readRest(from io.Reader, line []byte, most int, each func(record) bool) (damaged int, err error) {
	for range most {
		if _, err := io.ReadFull(from, line); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return damaged, nil
		} else if err != nil {
			return damaged, err
		}
		r, ok := parseRecord(line)
		if !ok {
			damaged++
		} else if !each(r) {
			return damaged, nil
		}
	}
	return damaged, fmt.Errorf("it has more than %d records: the rest is not read", most)
}
