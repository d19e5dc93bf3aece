package e2e_test

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/proxy/caller"
)

// flooderVariable tells a flooder what it needs, and that it is one.
const flooderVariable = "KMPROXY_FLOODER"

// flooder is what a process that floods works with.
type flooder struct {
	URL, CA, ASPID, AccessKey, Secret, KeyID, Server string
	Workers                                          int
}

// flooded is what became of its calls.
type flooded struct {
	Answered, Refused int
	Cut               int    // not answered at all, as who opens too many connections at once
	Why               string // one of those says
}

// flood calls from another process, so that the scheduler of this one keeps
// nobody waiting, until end is called.
func flood(t *testing.T, g *gateway, p *provider, workers int) (end func() flooded) {
	t.Helper()
	ca, err := os.ReadFile(filepath.Join(g.dir, "data", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	server, err := p.Server.PEM()
	if err != nil {
		t.Fatal(err)
	}
	told, err := json.Marshal(flooder{URL: p.URL, CA: string(ca), ASPID: string(p.ASPID), AccessKey: string(p.AccessKey),
		Secret: string(p.Secret.Expose()), KeyID: string(p.KeyID), Server: string(server), Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0], "-test.run=^TestFlooder$")
	child.Env = append(os.Environ(), flooderVariable+"="+string(told))
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() })
	lines := bufio.NewReader(out)
	if _, err := lines.ReadString('\n'); err != nil { // it is under way
		t.Fatal(err)
	}
	return func() (did flooded) {
		_ = in.Close() // that ends it
		line, err := lines.ReadString('\n')
		if err == nil {
			err = json.Unmarshal([]byte(line), &did)
		}
		if err != nil {
			t.Errorf("the flooder said %q: %v", line, err)
		}
		_, _ = io.Copy(io.Discard, lines)
		if err := child.Wait(); err != nil {
			t.Errorf("the flooder: %v", err)
		}
		return did
	}
}

// TestFlooder is the process of a flood. It is not a test.
func TestFlooder(t *testing.T) {
	var f flooder
	if json.Unmarshal([]byte(os.Getenv(flooderVariable)), &f) != nil {
		return
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(f.CA))
	p := (&provider{Caller: caller.Caller{URL: f.URL, ASPID: keys.ASPID(f.ASPID), AccessKey: keys.AccessKey(f.AccessKey), KeyID: keys.KeyID(f.KeyID),
		Secret: sensitive.New([]byte(f.Secret)), Server: publicHalf(t, f.Server), Now: time.Now}}).connect(t, roots)
	ctx, enough := context.WithCancel(context.Background())
	var done tally
	var all sync.WaitGroup
	underWay := sync.OnceFunc(func() { fmt.Println("under way") })
	for w := range f.Workers {
		all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				err := p.knock(ctx, fmt.Sprint("flood/", w, "/", i))
				if ctx.Err() == nil {
					done.note(0, err)
				}
				if w == f.Workers-1 || err != nil {
					underWay()
				}
			}
		})
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until it is closed
	enough()
	all.Wait()
	did := flooded{Answered: len(done.took)}
	for _, err := range done.failed {
		if refusedWith(err, http.StatusServiceUnavailable) {
			did.Refused++
			continue
		}
		did.Cut, did.Why = did.Cut+1, err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(did); err != nil {
		t.Error(err)
	}
}
