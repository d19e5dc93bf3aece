package interop_test

import (
	"fmt"
	"regexp"
	"testing"

	"kmproxy/proxy/proxytest"
)

// TestNodeKeepsItsConnection: requests that node:https sends in chunks over an agent
// with keep-alive come over one connection.
func TestNodeKeepsItsConnection(t *testing.T) {
	const calls = 20
	p := proxytest.Start(t)
	j := newJob(t, p)
	j.Calls = nil
	for i := range calls {
		j.Calls = append(j.Calls, call{Name: fmt.Sprint(i), Path: proxytest.ARSPath, TimeDigits: 17, Padded: true, Body: fmt.Appendf(nil, `{"userId":%d}`, i)})
	}
	said := runNode(t, j, "keep-alive.mjs")
	for _, r := range said.Results {
		if r.Error != "" || string(r.Answer) != proxytest.Answer {
			t.Errorf("call %s: %s %s", r.Name, r.Error, r.Answer)
		}
	}
	if got := p.Upstream.Last(t); len(said.Results) != calls || p.Upstream.Calls() != calls || got.Header.Get("Content-Length") == "" {
		t.Errorf("%d results, %d calls at the upstream, the last with %q", len(said.Results), p.Upstream.Calls(), got.Header)
	}
	connections := map[string]bool{}
	for _, m := range regexp.MustCompile(`"remote":"([^"]+)"`).FindAllStringSubmatch(p.Log.String(), -1) {
		connections[m[1]] = true
	}
	if len(connections) != 1 {
		t.Errorf("%d connections were made for %d calls", len(connections), calls)
	}
}
