package sensitivetest

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mask is XORed with the text in a Trace, so that a search does not find the Trace
// itself.
const mask = 0xa5

// Trace is a text to search for in the memory of this process.
type Trace struct{ masked []byte }

// NewTrace returns a Trace of a text, which the caller must then overwrite. The text
// must have at least 16 bytes and must not occur anywhere else.
func NewTrace(text []byte) Trace {
	t := Trace{make([]byte, len(text))}
	for i, b := range text {
		t.masked[i] = b ^ mask
	}
	return t
}

// Found returns how often the text occurs in all memory that the process can write,
// whether it is still referenced or not.
func (t Trace) Found(tb testing.TB) (n int) {
	tb.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		tb.Fatal(err)
	}
	memory, err := os.Open("/proc/self/mem")
	if err != nil {
		tb.Fatal(err)
	}
	defer memory.Close()
	const size = 1 << 20
	room, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = unix.Munmap(room) }()
	own := uintptr(unsafe.Pointer(&room[0]))
	for line := range strings.Lines(string(maps)) {
		var from, to uintptr
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil {
			tb.Fatalf("%q: %v", line, err)
		}
		if !strings.HasPrefix(mode, "rw") || from <= own && own < to {
			continue // room holds a copy of what is being searched
		}
		for at := from; at < to; at += size - uintptr(len(t.masked)) {
			read, _ := memory.ReadAt(room[:min(size, to-at)], int64(at))
			n += t.in(room[:read])
		}
	}
	return n
}

func (t Trace) in(memory []byte) (n int) {
	for {
		i := bytes.IndexByte(memory, t.masked[0]^mask)
		if i < 0 || len(memory)-i < len(t.masked) {
			return n
		}
		memory = memory[i:]
		k := 0
		for k < len(t.masked) && memory[k]^mask == t.masked[k] {
			k++
		}
		if k == len(t.masked) {
			n++
		}
		memory = memory[1:]
	}
}
