package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// request is a plaintext body with a name of its own.
func request(id string) []byte { return fmt.Appendf(nil, `{"id":%q,"userId":9999999999999999999}`, id) }

// answerTo is what the upstream says to it; padding with blanks may follow.
func answerTo(id string) string { return fmt.Sprintf(`{"authNumber":"of %s"}`, id) }

// upstream is the plaintext service; it counts what reached it.
type upstream struct {
	*httptest.Server
	mu   sync.Mutex
	seen map[string]int
	open map[net.Conn]bool
}

func newUpstream(t *testing.T) *upstream {
	t.Helper()
	u := &upstream{seen: map[string]int{}, open: map[net.Conn]bool{}}
	u.Server = httptest.NewUnstartedServer(http.HandlerFunc(u.serve))
	u.Config.ConnState = u.track
	u.Start()
	t.Cleanup(u.Close)
	return u
}

func (u *upstream) track(conn net.Conn, state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.open[conn] = true; state == http.StateClosed {
		delete(u.open, conn)
	}
}

// connections is how many are open.
func (u *upstream) connections() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.open)
}

func (u *upstream) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var doc struct{ ID string }
	if err != nil || json.Unmarshal(body, &doc) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	u.mu.Lock()
	u.seen[doc.ID]++
	u.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, answerTo(doc.ID)) // who is gone is not told
}

// count is how many different requests came, and how many of them more than once.
func (u *upstream) count() (once, more int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, n := range u.seen {
		if n > 1 {
			more++
		}
	}
	return len(u.seen), more
}
