package proxy_test

import (
	"net/http"
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/manage"
	"kmproxy/proxy"
	"kmproxy/proxy/caller"
	"kmproxy/proxy/proxytest"
)

// getPath is a route of which GET is not the only method.
const getPath = "/api/v1/only/get"

// maxBody is the largest body in a world.
const maxBody = 64 << 10

// world is a proxy and callers of every kind.
type world struct {
	*proxytest.Proxy
	foreign, suspended    *caller.Caller // of other projects, each with an active key
	pinned                *caller.Caller // of a project that is pinned to a client certificate
	staged, draining, off *caller.Caller // of the own project, each with a key in that state
}

func newWorld(t testing.TB, setups ...proxytest.Setup) *world {
	t.Helper()
	w := &world{Proxy: proxytest.Start(t, append([]proxytest.Setup{func(c *proxy.Config) {
		c.MaxBodyBytes = maxBody
		for _, method := range []string{http.MethodGet, http.MethodPut} {
			c.Routes = append(c.Routes, proxy.Route{Method: method, Path: getPath, Request: proxy.BodyEither, Response: proxy.BodyEither})
		}
	}}, setups...)...)}
	w.foreign = w.project(t, "000000000000002")
	w.suspended = w.project(t, "000000000000003")
	if _, err := w.Manager.SuspendProject(t.Context(), w.Actor, w.suspended.ASPID); err != nil {
		t.Fatal(err)
	}
	w.pinned = w.pinnedTo(t, "000000000000009", keys.NewPin([]byte("a key that no connection has")))
	w.staged, w.draining, w.off = w.withKey(t, keys.Staged), w.withKey(t, keys.Draining), w.withKey(t, keys.Suspended)
	w.Settle(t)
	return w
}

func (w *world) project(t testing.TB, id keys.ASPID) *caller.Caller {
	t.Helper()
	c := &caller.Caller{URL: w.URL, HTTP: w.HTTP, Now: w.Caller.Now}
	w.AddProject(t, id, c)
	w.AddKey(t, id, c, 0)
	return c
}

func (w *world) pinnedTo(t testing.TB, id keys.ASPID, pin keys.Pin) *caller.Caller {
	t.Helper()
	issued, err := w.Manager.CreateProject(t.Context(), w.Actor, manage.NewProject{ASPID: id, ClientPin: pin})
	if err != nil {
		t.Fatal(err)
	}
	c := &caller.Caller{URL: w.URL, HTTP: w.HTTP, Now: w.Caller.Now, ASPID: id, AccessKey: issued.AccessKey, Secret: issued.Secret}
	w.AddKey(t, id, c, 0)
	return c
}

func (w *world) withKey(t testing.TB, state keys.State) *caller.Caller {
	t.Helper()
	c := *w.Caller
	w.AddKey(t, c.ASPID, &c, state)
	return &c
}
