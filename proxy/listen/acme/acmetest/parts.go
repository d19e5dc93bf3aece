package acmetest

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// program builds Pebble, which is one of the module's tools, and is where it is.
// On a laptop without the tools' modules the test is skipped; in CI it fails.
func program(t *testing.T) string {
	t.Helper()
	mod, err := exec.Command("go", "env", "GOMOD").Output()
	must(t, err)
	build := exec.Command("go", "tool", "-modfile=tools.mod", "-n", "pebble")
	build.Dir = filepath.Dir(strings.TrimSpace(string(mod)))
	path, err := build.Output()
	if err != nil {
		if failed, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Logf("%s", failed.Stderr)
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("Pebble cannot be built: %v", err)
		}
		t.Skipf("Pebble cannot be built, run make setup: %v", err)
	}
	return strings.TrimSpace(string(path))
}

// resolver is a DNS server to which every name has the address 127.0.0.1.
func resolver(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	server := &dns.Server{Listener: l, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		a := new(dns.Msg).SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			a.Answer = []dns.RR{&dns.A{A: net.IPv4(127, 0, 0, 1),
				Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}}}
		}
		_ = w.WriteMsg(a) // the client closed its connection
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.ActivateAndServe() // ends with the listener
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

// free returns an unused address.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { must(t, l.Close()) }()
	return l.Addr().String()
}

// FreePort returns an unused port of 127.0.0.1.
func FreePort(t *testing.T) int {
	t.Helper()
	addr, err := net.ResolveTCPAddr("tcp", free(t))
	must(t, err)
	return addr.Port
}
