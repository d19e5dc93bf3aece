package framing_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"testing"
)

// counting counts the bytes that were read from it.
type counting struct {
	r io.Reader
	n int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// marker is a request that makes a Watcher lose track exactly where a request
// begins, and nowhere else that it could be.
const marker = "\x01"

// FuzzAgreesWithNetHTTP: where a Watcher is clean, net/http finds the end of a
// request in the same place: a request that follows there is one to the Watcher too.
func FuzzAgreesWithNetHTTP(f *testing.F) {
	for _, first := range append(plain, doubtful...) {
		f.Add([]byte(first))
		f.Add([]byte(plain[4] + first + plain[1]))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		in := &counting{r: bytes.NewReader(stream)}
		for buffered := bufio.NewReader(in); ; {
			r, err := http.ReadRequest(buffered)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
			compare(t, string(stream[:in.n-buffered.Buffered()]))
		}
	})
}

func compare(t *testing.T, whole string) {
	t.Helper()
	if !watch(whole, 1<<20).Clean() {
		return // the connection would be closed
	}
	if !watch(whole+plain[1]+plain[4], 1<<20).Clean() {
		t.Errorf("after %q another request is not followed", whole)
	}
	if watch(whole+marker, 1<<20).Clean() || watch(whole+doubtful[0], 1<<20).Clean() {
		t.Errorf("after %q no request is expected", whole)
	}
}
