package proxy_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwe"
	"kmproxy/proxy"
	"kmproxy/proxy/cek"
	"kmproxy/proxy/kona"
	"kmproxy/proxy/proxytest"
	"kmproxy/proxy/replay"
)

// newKeeper is a world that remembers content keys, and what seals under one.
func newKeeper(t *testing.T, edit ...proxytest.Setup) (*world, func() []byte) {
	t.Helper()
	w := newWorld(t, append(edit, func(c *proxy.Config) {
		c.Queue = hasty()
		c.ContentKeys = cek.New(cek.Limits{Entries: 10, MaxAge: time.Hour, MaxMessages: 1000, MaxBytes: 1 << 20})
	})...)
	sealer, err := jwe.NewSealer(w.Caller.Server, alg.Preferred())
	if err != nil {
		t.Fatal(err)
	}
	return w, func() []byte {
		body, err := kona.Wrap(nil, func(dst []byte) ([]byte, error) { return sealer.Seal(dst, []byte(plaintext)) })
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
}

// sealedBy is an encrypted request with that body, as it is to be answered.
func sealedBy(sealed []byte, w want) row {
	return row{base: sealedRequest, flaws: []flaw{body(string(sealed))}, want: w}
}

// TestContentKeyRemembered: behind the first message under a content key the others
// need no private key, and get the same answer; every other message still does.
func TestContentKeyRemembered(t *testing.T) {
	w, seal := newKeeper(t)
	over := func(q *request) reply { return w.overHTTP1(t, q.bytes()) }
	w.try(t, sealedBy(seal(), passes), over)
	w.Proxy.Proxy.FillPool()
	for range 3 {
		w.try(t, sealedBy(seal(), passes), over)
		if got := string(w.Upstream.Last(t).Body); got != plaintext {
			t.Errorf("the upstream got %q", got)
		}
		w.try(t, row{base: sealedRequest, want: overloaded}, over)
	}
	token, err := kona.Unwrap(seal())
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(token), ".")
	with := func(part int, text string) []byte {
		edited := append([]string(nil), parts...)
		edited[part] = text
		return []byte(`{"encData":"` + strings.Join(edited, ".") + `"}`)
	}
	w.try(t, sealedBy(with(1, strings.Repeat("A", len(parts[1]))), overloaded), over)
	w.try(t, sealedBy(with(2, strings.Repeat("A", len(parts[2])-1)), overloaded), over) // flawed: at the cost of any failure
	w.try(t, sealedBy(with(4, strings.Repeat("A", len(parts[4]))), decryptFailed), over)
}

// TestContentKeyAndReplay: who captured a request gains nothing by the content key
// that is remembered.
func TestContentKeyAndReplay(t *testing.T) {
	w, seal := newKeeper(t, func(c *proxy.Config) {
		c.Replay, c.ReplayWindow = replay.New(replay.Limits{Entries: 100, PerProject: 50}), time.Hour
	})
	for range 2 {
		q := sealedBy(seal(), passes).make(w)
		if got := w.overHTTP1(t, q.bytes()); got.status != http.StatusOK {
			t.Fatalf("%+v", got)
		}
		if got := w.overHTTP1(t, q.bytes()); got.status != http.StatusConflict {
			t.Errorf("the second time: status %d", got.status)
		}
	}
}

// TestSuspendedKeyOpensNothing, be its content keys remembered or not.
func TestSuspendedKeyOpensNothing(t *testing.T) {
	w, seal := newKeeper(t)
	over := func(q *request) reply { return w.overHTTP1(t, q.bytes()) }
	w.try(t, sealedBy(seal(), passes), over)
	if _, err := w.Manager.SuspendKey(t.Context(), w.Actor, w.Caller.KeyID); err != nil {
		t.Fatal(err)
	}
	w.Settle(t)
	w.try(t, sealedBy(seal(), invalidKey), over)
}
