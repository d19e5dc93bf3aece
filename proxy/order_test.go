package proxy_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"kmproxy/proxy/caller"
)

// inOrder has a fault for each step, in the order of the checks.
func inOrder() []row {
	return []row{
		{name: "declared size", flaws: []flaw{func(_ *world, r *request) {
			r.fields = append(r.fields, field{"Content-Length", "99999999"})
			r.behind = r.body
		}}, want: tooLarge},
		{name: "path", flaws: []flaw{target("/nowhere")}, want: noRoute},
		{name: "method", flaws: []flaw{method(http.MethodDelete)}, want: noMethod},
		{name: "disguised header", flaws: []flaw{add("X_KM_Tran_Token", "x")}, want: invalid("X-KM-Tran-Token")},
		{name: "missing header", flaws: []flaw{drop("X-KM-Correlation-Id")}, want: missing("X-KM-Correlation-Id")},
		{name: "header's form", flaws: []flaw{set("X-KM-Time-Zone", "XYZ")}, want: invalid("X-KM-Time-Zone")},
		{name: "media type", flaws: []flaw{set("Content-Type", "text/plain")}, want: mediaType},
		{name: "body's size", flaws: []flaw{func(_ *world, r *request) {
			r.fields = append(r.fields, field{"Transfer-Encoding", "chunked"})
			r.behind = []byte(chunks(string(r.body)+strings.Repeat(" ", maxBody), 16<<10))
		}}, want: tooLarge},
		{name: "access key", flaws: []flaw{set("X-KM-Access-Key", strings.Repeat("0", 40))}, want: unauthorized},
		{name: "client certificate", flaws: []flaw{as(func(w *world) *caller.Caller { return w.pinned })}, want: unauthorized},
		{name: "token", flaws: []flaw{edit("X-KM-Tran-Token", func(s string) string { return s[:23] + strings.Repeat("A", 43) + "=" })}, want: unauthorized},
		{name: "time", flaws: []flaw{aged(-time.Hour)}, want: outsideWindow},
		{name: "key", flaws: []flaw{set("X-KM-Crypto-Key-Id", strings.Repeat("0", 32))}, want: invalidKey},
		{name: "wrapper", flaws: []flaw{func(_ *world, r *request) {
			r.body = append(r.body, "{}"...)
			r.retoken()
		}}, want: invalid("encData")},
		{name: "JWE", flaws: []flaw{sealed(forged{tagLen: 12, plaintext: plaintext})}, want: decryptFailed},
	}
}

// TestOrder: of two faults the one whose check comes first is answered. The later
// one is made first, so that nothing it does repairs the other.
func TestOrder(t *testing.T) {
	w := newWorld(t)
	faults := inOrder()
	pairs := 0
	for i, first := range faults {
		for _, second := range append([]row{{name: "nothing else"}}, faults[i+1:]...) {
			if first.name == "declared size" && second.name == "body's size" {
				continue // a body has a length or chunks
			}
			pairs++
			r := row{base: sealedRequest, flaws: append(second.flaws[:len(second.flaws):len(second.flaws)], first.flaws...), want: first.want}
			t.Run(fmt.Sprintf("%s before %s", first.name, second.name), func(t *testing.T) {
				w.try(t, r, func(q *request) reply { return w.overHTTP1(t, q.bytes()) })
			})
		}
	}
	if pairs < 100 {
		t.Errorf("only %d pairs", pairs)
	}
}

// TestAllow: an answer 405 names every method that the path has.
func TestAllow(t *testing.T) {
	w := newWorld(t)
	for path, want := range map[string]string{getPath: "GET, PUT", "/api/v1/bankaccounts/ars/auth": "POST"} {
		r := row{base: plainRequest, flaws: []flaw{target(path), method(http.MethodDelete)}, want: noMethod}
		got := w.try(t, r, func(q *request) reply { return w.overHTTP1(t, q.bytes()) })
		if allow := got.header["Allow"]; len(allow) != 1 || allow[0] != want {
			t.Errorf("%s: Allow is %q, want %q", path, allow, want)
		}
	}
}
