package proxy_test

import (
	"net/http"
	"strings"
	"testing"

	"kmproxy/proxy"
	"kmproxy/proxy/proxytest"
)

// TestSealedAnswersAreNotCompressed: whatever codings a caller takes, sealed answers
// of one bucket have one length, be their content easy to compress or hard. Nor is
// the upstream asked for a coding, by which the plaintext's length would tell.
func TestSealedAnswersAreNotCompressed(t *testing.T) {
	w := newWorld(t, func(c *proxy.Config) { c.Routes[0].EncryptErrors = true })
	lengths := map[int]bool{}
	for _, status := range []int{http.StatusOK, http.StatusBadRequest} {
		for _, answer := range []string{strings.Repeat("a", 250), proxytest.Answer, "{}"} {
			w.Upstream.Answer(status, []byte(answer))
			q := sealedRequest(w)
			add("Accept-Encoding", "gzip, deflate, br, zstd, *;q=0")(w, q)
			got := w.overHTTP1(t, q.bytes())
			if got.status != status || !strings.HasPrefix(got.body, `{"encData":"`) || got.header["Content-Encoding"] != nil {
				t.Fatalf("status %d, %q, %.20q", got.status, got.header, got.body)
			}
			if coding := w.Upstream.Last(t).Header["Accept-Encoding"]; coding != nil {
				t.Errorf("the upstream was asked for %q", coding)
			}
			lengths[len(got.body)] = true
		}
	}
	if len(lengths) != 1 {
		t.Errorf("lengths of bodies: %v", lengths)
	}
}
