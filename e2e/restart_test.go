package e2e_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestReloads reads the config again under load, each time with another upstream
// in it, and now and then a config that is refused: no call fails, and no connection
// rests at an upstream that is no longer in it.
func TestReloads(t *testing.T) {
	rounds, pause := 4, 200*time.Millisecond
	if long() {
		rounds, pause = 30, time.Second
	}
	ups := []*upstream{newUpstream(t), newUpstream(t)}
	g := newGateway(t, ups[0].URL, "")
	p := newProvider(t, g, 1)
	g.start(t)
	calls := send(t, "reload", p.connect(t, g.roots(t)), 4)
	former := ups[1]
	for i := range rounds {
		time.Sleep(pause)
		if i%4 == 3 {
			g.configure(t, "ftp://nowhere", "")
		} else {
			g.configure(t, ups[(i+1)%2].URL, "")
			former = ups[i%2]
		}
		g.reload(t)
	}
	time.Sleep(pause)
	n := calls.end(t)
	for end := time.Now().Add(30 * time.Second); former.connections() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d connections are left at an upstream that is not used any more", former.connections())
		}
	}
	g.stop(t)
	var seen [2]int
	for i, u := range ups {
		once, more := u.count()
		if seen[i] = once; once == 0 || more > 0 {
			t.Errorf("upstream %d saw %d calls, %d of them more than once", i, once, more)
		}
	}
	t.Logf("%d reloads: %d calls answered, none failed; the upstreams saw %d and %d", rounds, n, seen[0], seen[1])
	if int64(seen[0]+seen[1]) != n {
		t.Error("answers and calls do not agree")
	}
}

// TestRestarts stops the service and starts it again under load, while somebody
// holds its socket as systemd would: no call fails. New connections are made all
// the time, beside some that are kept.
func TestRestarts(t *testing.T) {
	rounds := 3
	if long() {
		rounds = 10
	}
	u := newUpstream(t)
	g := newGateway(t, u.URL, "")
	p, q := newProvider(t, g, 1), newProvider(t, g, 2)
	unit := newUnit(t, g)
	unit.start(t)
	kept := send(t, "kept connections", p.connect(t, g.roots(t)), 3)
	q.connect(t, g.roots(t)).conns.DisableKeepAlives = true
	fresh := send(t, "new connections", q, 2)
	for range rounds {
		time.Sleep(300 * time.Millisecond)
		g.stop(t)
		unit.start(t)
	}
	time.Sleep(300 * time.Millisecond)
	n := kept.end(t) + fresh.end(t)
	g.stop(t)
	once, more := u.count()
	t.Logf("%d restarts: %d calls answered, none failed; the upstream saw %d, %d of them more than once", rounds, n, once, more)
	if int64(once) != n || more > 0 {
		t.Error("answers and calls do not agree")
	}
	unit.wantTold(t, rounds+1)
}

// unit stands in for systemd: it holds the public socket and listens to what the
// service says of itself.
type unit struct {
	gateway *gateway
	socket  *os.File
	notify  string
	mu      sync.Mutex
	told    []string
}

func newUnit(t *testing.T, g *gateway) *unit {
	t.Helper()
	l, err := net.Listen("tcp", g.public)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	s := &unit{gateway: g, notify: filepath.Join(t.TempDir(), "notify")}
	if s.socket, err = l.(*net.TCPListener).File(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.socket.Close() })
	ear, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: s.notify, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ear.Close() })
	go s.listen(ear)
	return s
}

func (s *unit) listen(ear *net.UnixConn) {
	buf := make([]byte, 4096)
	for {
		n, err := ear.Read(buf)
		if err != nil {
			return // the test is over
		}
		s.mu.Lock()
		s.told = append(s.told, strings.Split(string(buf[:n]), "\n")...)
		s.mu.Unlock()
	}
}

// start starts the service with the socket as its file 3.
func (s *unit) start(t *testing.T) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0" serve`, path) // the number of the process is known then
	cmd.Dir = s.gateway.dir
	cmd.Env = append(os.Environ(), "LISTEN_FDS=1", "LISTEN_FDNAMES=public", "NOTIFY_SOCKET="+s.notify)
	cmd.ExtraFiles = []*os.File{s.socket}
	s.gateway.startAs(t, cmd)
}

func (s *unit) wantTold(t *testing.T, times int) {
	t.Helper()
	var want []string
	for range times {
		want = append(want, "READY=1", "STOPPING=1")
	}
	soon(t, "every start and stop was told", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return slices.Equal(s.told, want)
	})
}
