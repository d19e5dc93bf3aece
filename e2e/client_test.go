package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kmproxy/keys"
)

// client calls steadily with what it holds: a key and a secret that may be
// exchanged for others at any time, between two calls.
type client struct {
	name    string
	holds   atomic.Pointer[provider]
	stop    context.CancelFunc
	ended   sync.WaitGroup
	mu      sync.Mutex
	by      map[keys.KeyID]int // answered calls
	old     map[keys.KeyID]int // of those, with Deprecation
	sunsets int
	lost    []error
}

// pause between two calls of a client.
const pause = 8 * time.Millisecond

func newClient(t *testing.T, name string, p *provider) *client {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	c := &client{name: name, stop: stop, by: map[keys.KeyID]int{}, old: map[keys.KeyID]int{}}
	c.holds.Store(p)
	c.ended.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			c.call(i)
			time.Sleep(pause)
		}
	})
	t.Cleanup(c.end)
	return c
}

func (c *client) end() {
	c.stop()
	c.ended.Wait()
}

func (c *client) call(i int) {
	p := c.holds.Load()
	id := fmt.Sprint(c.name, "/", i)
	x, err := p.Call(context.Background(), arsPath, request(id))
	if err == nil && (x.Status != http.StatusOK || !x.Encrypted || strings.TrimRight(string(x.Plaintext), " ") != answerTo(id)) {
		err = fmt.Errorf("call %s under key %s: status %d: %.200s", id, p.KeyID, x.Status, x.AnswerBody)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.lost = append(c.lost, err)
		return
	}
	c.by[p.KeyID]++
	if x.AnswerHeader.Get("Deprecation") != "" {
		c.old[p.KeyID]++
	}
	if x.AnswerHeader.Get("Sunset") != "" {
		c.sunsets++
	}
}

// switchTo exchanges what the client holds, and waits until it is used.
func (c *client) switchTo(t *testing.T, p *provider) {
	t.Helper()
	c.holds.Store(p)
	before := c.answered(p.KeyID)
	soon(t, c.name+" uses its new key", func() bool { return c.answered(p.KeyID) > before+1 || len(c.failures()) > 0 })
}

func (c *client) answered(id keys.KeyID) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.by[id]
}

func (c *client) failures() []error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost
}
