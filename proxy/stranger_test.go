package proxy_test

import (
	"strings"
	"testing"

	"kmproxy/proxy/caller"
)

// TestStrangersAreVerifiedToo: who has no access key, or not the certificate that goes
// with it, costs what a wrong token does: one MAC over the whole body, under a secret
// of the length that is issued.
func TestStrangersAreVerifiedToo(t *testing.T) {
	w := newWorld(t)
	type verified struct{ body, secret int }
	var seen []verified
	w.Proxy.Proxy.WatchVerify(func(body, secret int) { seen = append(seen, verified{body, secret}) })
	secret := 0
	for _, r := range []row{
		{name: "a wrong token", flaws: []flaw{edit("X-KM-Tran-Token", func(s string) string { return s[:23] + strings.Repeat("A", 43) + "=" })}},
		{name: "an unknown access key", flaws: []flaw{set("X-KM-Access-Key", strings.Repeat("0", 40))}},
		{name: "no client certificate", flaws: []flaw{as(func(w *world) *caller.Caller { return w.pinned })}},
	} {
		r.base, r.want = sealedRequest, unauthorized
		seen = nil
		size := 0
		w.try(t, r, func(q *request) reply {
			size = len(q.body)
			return w.overHTTP1(t, q.bytes())
		})
		if len(seen) != 1 || size == 0 {
			t.Fatalf("%s: verified %d times over a body of %d bytes", r.name, len(seen), size)
		}
		if secret == 0 {
			secret = seen[0].secret
		}
		if want := (verified{size, secret}); seen[0] != want {
			t.Errorf("%s: verified over and under %v bytes, want %v", r.name, seen[0], want)
		}
	}
}
