package bench_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"kmproxy/proxy/kona"
)

// kind is what a request is made of.
type kind string

const (
	plain  kind = "plain"
	fresh  kind = "encrypted"              // each under a content key of its own
	reused kind = "encrypted, reused keys" // all under one content key
	junk   kind = "junk"                   // encrypted, with a token of another secret
)

// work is one sort of request.
type work struct {
	kind   kind
	size   int // bytes of plaintext
	answer int // bytes of the upstream's answer; 0: a short one
}

// poolSize is how many different requests are prepared of small ones; of large ones
// there are fewer, so that they fit in memory.
const poolSize = 64

// path asks the upstream for the answer.
func (w work) path() string {
	if w.answer == 0 {
		return callPath
	}
	return fmt.Sprintf("%s?answer=%d", callPath, w.answer)
}

const callPath = "/api/v1/bankaccounts/ars/auth"

// pool is requests as they go over HTTP/1.1, prepared so that making them costs nothing
// while others are measured.
func (s *stage) pool(b *testing.B, w work) [][]byte {
	if s.pools[w] == nil {
		for range max(poolSize*1024/max(w.size, 1024), 4) {
			header, body := s.request(b, w)
			var raw bytes.Buffer
			fmt.Fprintf(&raw, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n", w.path(), len(body))
			fatal(b, header.Write(&raw))
			raw.WriteString("\r\n")
			raw.Write(body)
			s.pools[w] = append(s.pools[w], raw.Bytes())
		}
	}
	return s.pools[w]
}

func (s *stage) request(b *testing.B, w work) (http.Header, []byte) {
	const least = len(`{"a":""}`)
	body := fmt.Appendf(nil, `{"a":%q}`, strings.Repeat("p", w.size-least))
	who := s.caller
	if w.kind == reused {
		who.Reuse = s.reused
	}
	if w.kind != plain {
		var err error
		body, err = who.Encrypt(body)
		fatal(b, err)
	}
	header := http.Header{}
	who.Sign(header, body)
	if w.kind == junk {
		token := header[kona.Written(kona.HeaderToken)]
		token[0] = token[0][:len(token[0])-10] + "AAAAAAAAA="
	}
	return header, body
}

// answered tells whether an answer is what the work should bring.
func (w work) answered(status int, body []byte) error {
	wanted := http.StatusOK
	if w.kind == junk {
		wanted = http.StatusUnauthorized
	}
	encrypted := w.kind == fresh || w.kind == reused
	if status != wanted || encrypted != bytes.HasPrefix(body, []byte(`{"encData"`)) {
		return fmt.Errorf("%s, %d bytes: status %d: %.100s", w.kind, w.size, status, body)
	}
	return nil
}
