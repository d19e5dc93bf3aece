package proxy_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"kmproxy/proxy"
)

// TestStaleRing: keys that are too old serve nothing, and serve again when they are not.
func TestStaleRing(t *testing.T) {
	var stale atomic.Bool
	p := remembering(t, func(c *proxy.Config) { c.Stale = stale.Load })
	for _, encrypted := range []bool{true, false} {
		newParcel(t, p, encrypted).send(t, p, http.StatusOK, "")
		stale.Store(true)
		late := newParcel(t, p, encrypted)
		late.send(t, p, http.StatusServiceUnavailable, "900_012")
		stale.Store(false)
		late.send(t, p, http.StatusOK, "")
	}
}
