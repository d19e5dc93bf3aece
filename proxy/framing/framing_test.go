package framing_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"kmproxy/proxy/framing"
)

const chunkedPost = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

// plain are requests as clients write them, singly and in a row.
var plain = []string{
	"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
	"POST / HTTP/1.1\r\nHost: x\r\ncontent-length:0\r\n\r\n",
	"POST / HTTP/1.1\r\nContent-Length:\t 26 \r\nX-Note: caf\xe9 \t\r\nEmpty:\r\n\r\nContent-Length: 1\r\n\r\nGET /",
	chunkedPost + "5\r\nhello\r\n0\r\n\r\n",
	chunkedPost + "00a;name=\"v\"\r\n0123456789\r\nB\r\n01234567890\r\n0\r\n\r\n",
	chunkedPost + "1\r\na\r\n0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\n",
	strings.Replace(chunkedPost, "chunked", "CHUNKED", 1) + "0\r\n\r\n",
	"POST / HTTP/1.1\r\nTransfer-Encodings: x\r\nXTransfer-Encoding: y\r\nContent-Lengt: z\r\nContent-Length: 1\r\n\r\na",
}

// doubtful are requests whose end is in doubt, or that clients do not write.
var doubtful = []string{
	"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
	"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
	"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 0\r\n\r\n",
	"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
	"POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\n",
	"POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\n",
	"POST / HTTP/1.1\r\nContent-Length: 0x5\r\n\r\n",
	"POST / HTTP/1.1\r\nContent-Length: \r\n\r\n",
	"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
	"POST / HTTP/1.1\r\nContent-Length: 0000000000000000000000005\r\n\r\n",
	"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
	"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
	"POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n",
	"POST / HTTP/1.1\r\nTransfer-Encoding:\r\n\r\n",
	"POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n",
	"POST / HTTP/1.1\r\nX: y\r\n Content-Length: 5\r\n\r\n",
	"POST / HTTP/1.1\r\n X: y\r\n\r\n",
	"POST / HTTP/1.1\r\nX: y\nContent-Length: 5\r\n\r\n",
	"POST / HTTP/1.1\r\nX: y\rContent-Length: 5\r\n\r\n",
	"POST / HTTP/1.1\r\nX: \x00\r\n\r\n",
	"POST / HTTP/1.1\r\n: y\r\n\r\n",
	"POST / HTTP/1.1\r\nX\r\n\r\n",
	"POST / HTTP/1.1\n\n",
	"POST / HTTP/1.0\r\n\r\n",
	"POST / HTTP/1.10\r\n\r\n",
	"HTTP/1.1\r\n\r\n",
	"\r\nGET / HTTP/1.1\r\n\r\n",
	"PRI * HTTP/2.0\r\n\r\n",
	chunkedPost + "\r\n",
	chunkedPost + "z\r\n",
	chunkedPost + " 1\r\n",
	chunkedPost + "1 \r\n",
	chunkedPost + "0x1\r\n",
	chunkedPost + "1\na",
	chunkedPost + "1\r\nab",
	chunkedPost + "1\r\na\n",
	chunkedPost + "1;\n",
	chunkedPost + "1;a\rb\r\n",
	chunkedPost + "FFFFFFFFFFFFFFFF1\r\n",
	chunkedPost + "0\r\nContent-Length: 3\r\n",
	chunkedPost + "0\r\nTransfer-Encoding: chunked\r\n",
	chunkedPost + "0\r\nGET / HTTP/1.1\r\n\r\n",
	chunkedPost + "0\r\n\n",
}

func watch(stream string, step int) *framing.Watcher {
	w := &framing.Watcher{}
	for p := []byte(stream); len(p) > 0; {
		n := min(step, len(p))
		w.Read(p[:n])
		p = p[n:]
	}
	return w
}

// TestEachAfterTheOther: any plain request is followed to its exact end, so that
// after any other a doubtful one is still found, in pieces of any size.
func TestEachAfterTheOther(t *testing.T) {
	for _, first := range plain {
		for _, step := range []int{1, 3, 1 << 20} {
			for _, second := range plain {
				if !watch(first+second, step).Clean() {
					t.Errorf("steps of %d: not clean: %q %q", step, first, second)
				}
			}
			for _, second := range doubtful {
				if watch(first+second, step).Clean() || watch(second, step).Clean() {
					t.Errorf("steps of %d: clean: %q %q", step, first, second)
				}
			}
		}
	}
}

func TestOnceInDoubtAlwaysInDoubt(t *testing.T) {
	for _, bad := range doubtful {
		if watch(bad+plain[0]+plain[4], 1<<20).Clean() {
			t.Errorf("clean again after %q", bad)
		}
	}
}

func TestEnds(t *testing.T) {
	clean, lost := &framing.Watcher{}, watch("?\r\n", 1)
	chunks := []string{"chunked"}
	for name, tt := range map[string]struct {
		major, minor int
		encoding     []string
		watcher      *framing.Watcher
		want         bool
	}{
		"a length":                     {1, 1, nil, nil, true},
		"HTTP/2":                       {2, 0, chunks, nil, true},
		"HTTP/1.0":                     {1, 0, nil, clean, false},
		"chunks that none watched":     {1, 1, chunks, nil, false},
		"chunks":                       {1, 1, chunks, clean, true},
		"chunks on a doubtful one":     {1, 1, chunks, lost, false},
		"a length on a doubtful one":   {1, 1, nil, lost, true},
		"HTTP/1.0 on a doubtful one":   {1, 0, nil, lost, false},
		"HTTP/1.0 chunks, not watched": {1, 0, chunks, nil, false},
	} {
		ctx := context.Background()
		if tt.watcher != nil {
			ctx = framing.With(ctx, tt.watcher)
		}
		r := (&http.Request{ProtoMajor: tt.major, ProtoMinor: tt.minor, TransferEncoding: tt.encoding}).WithContext(ctx)
		if got := framing.Ends(r); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
