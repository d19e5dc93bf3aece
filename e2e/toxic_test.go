package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// toxiproxy stands between two parts and breaks what it is told to.
type toxiproxy struct{ api string }

func newToxiproxy(t *testing.T) *toxiproxy {
	t.Helper()
	path := tool(t, "github.com/Shopify/toxiproxy/v2/cmd/server")
	address := freeAddress(t)
	host, port, _ := strings.Cut(address, ":")
	cmd := exec.Command(path, "-host", host, "-port", port)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has no state
		_ = cmd.Wait()
	})
	x := &toxiproxy{api: "http://" + address}
	soon(t, "toxiproxy answers", func() bool {
		answer, err := http.Get(x.api + "/version")
		if err != nil {
			return false
		}
		return answer.Body.Close() == nil
	})
	return x
}

// between makes a way to an address and returns where it begins.
func (x *toxiproxy) between(t *testing.T, name, to string) (listen string) {
	t.Helper()
	listen = freeAddress(t)
	x.post(t, "/proxies", map[string]any{"name": name, "listen": listen, "upstream": to, "enabled": true})
	return listen
}

// poison adds a toxic to a way until the function that it returns is called.
func (x *toxiproxy) poison(t *testing.T, name string, p poison) (cure func()) {
	t.Helper()
	if p.kind == "down" {
		x.post(t, "/proxies/"+name, map[string]any{"enabled": false})
		return func() { x.post(t, "/proxies/"+name, map[string]any{"enabled": true}) }
	}
	x.post(t, "/proxies/"+name+"/toxics", map[string]any{"name": "toxic", "type": p.kind, "stream": p.stream,
		"toxicity": p.share, "attributes": p.attributes})
	return func() {
		r, err := http.NewRequest(http.MethodDelete, x.api+"/proxies/"+name+"/toxics/toxic", nil)
		if err != nil {
			t.Fatal(err)
		}
		x.do(t, r)
	}
}

func (x *toxiproxy) post(t *testing.T, path string, body map[string]any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, x.api+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	x.do(t, r)
}

func (x *toxiproxy) do(t *testing.T, r *http.Request) {
	t.Helper()
	status, body, err := fetch(http.DefaultClient, r)
	if err != nil || status >= 300 {
		t.Fatalf("toxiproxy: %d %s, %v", status, body, err)
	}
}

// poison is what is done to a share of the connections.
type poison struct {
	kind, stream string // "downstream" is towards who dialled
	share        float64
	attributes   map[string]any
}

func (p poison) String() string {
	return fmt.Sprintf("%s %s of %.0f %% %v", p.kind, p.stream, p.share*100, p.attributes)
}

// poisons are latency, resets, half-open connections, truncated answers, slow
// closes, slow lines and nobody there.
func poisons() []poison {
	with := func(kv ...any) map[string]any {
		out := map[string]any{}
		for i := 0; i < len(kv); i += 2 {
			out[kv[i].(string)] = kv[i+1]
		}
		return out
	}
	return []poison{
		{"latency", "downstream", 1, with("latency", 30, "jitter", 20)},
		{"latency", "upstream", 0.5, with("latency", 1000)},
		{"reset_peer", "downstream", 0.5, with("timeout", 0)},
		{"reset_peer", "downstream", 0.7, with("timeout", 30)},
		{"reset_peer", "upstream", 0.5, with("timeout", 5)},
		{"timeout", "downstream", 0.5, with("timeout", 0)},
		{"timeout", "upstream", 0.5, with("timeout", 100)},
		{"limit_data", "downstream", 0.7, with("bytes", 90)},
		{"limit_data", "downstream", 0.7, with("bytes", 700)},
		{"limit_data", "upstream", 0.7, with("bytes", 300)},
		{"slow_close", "downstream", 1, with("delay", 200)},
		{"slicer", "downstream", 1, with("average_size", 16, "size_variation", 8, "delay", 50)},
		{"slicer", "upstream", 1, with("average_size", 16, "size_variation", 8, "delay", 50)},
		{"bandwidth", "downstream", 1, with("rate", 20)},
		{"down", "both ways", 1, nil},
	}
}
