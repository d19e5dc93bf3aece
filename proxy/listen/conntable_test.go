package listen_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"kmproxy/proxy/listen"
)

// ask sends a request over a connection that is open already.
func ask(c net.Conn) error {
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// wantClosed waits for the other side to hang up.
func wantClosed(t *testing.T, what string, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second)) // loopback connections take deadlines
	if _, err := io.Copy(io.Discard, c); err != nil && isTimeout(err) {
		t.Errorf("%s: it is still open", what)
	}
}

func isTimeout(err error) bool {
	e, ok := err.(net.Error)
	return ok && e.Timeout()
}

// TestSilentConnectionsMakeRoom: a client that opens connections and sends nothing, not
// even a handshake, does not keep others out.
func TestSilentConnectionsMakeRoom(t *testing.T) {
	e := serve(t, ok, func(c *listen.Config) { c.Limits = listen.Limits{FreshPerAddress: 5} })
	used, err := e.dial(t, nil)
	if err == nil {
		err = ask(used)
	}
	if err != nil {
		t.Fatal(err)
	}
	var silent []net.Conn
	for range 50 {
		c, err := net.Dial("tcp", e.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		silent = append(silent, c)
	}
	late, err := e.dial(t, nil)
	if err == nil {
		err = ask(late)
	}
	if err != nil {
		t.Errorf("the newcomer: %v", err)
	}
	if err := ask(used); err != nil {
		t.Errorf("the one in use: %v", err)
	}
	wantClosed(t, "the first silent one", silent[0])
}

// TestNobodyAtWorkIsClosed: where everybody is being answered, the newcomer has to
// come again, and afterwards there is room.
func TestNobodyAtWorkIsClosed(t *testing.T) {
	begun, finish := make(chan struct{}, 2), make(chan struct{})
	e := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		begun <- struct{}{}
		<-finish
		w.WriteHeader(http.StatusOK)
	}, func(c *listen.Config) { c.Limits = listen.Limits{ConnsPerAddress: 2} })
	answered := make(chan error, 2)
	for range 2 {
		c, err := e.dial(t, nil)
		if err != nil {
			t.Fatal(err)
		}
		go func() { answered <- ask(c) }()
		<-begun
	}
	late, err := net.Dial("tcp", e.address)
	if err != nil {
		t.Fatal(err)
	}
	wantClosed(t, "the newcomer", late)
	_ = late.Close()
	close(finish)
	for range 2 {
		if err := <-answered; err != nil {
			t.Error(err)
		}
	}
	c, err := e.dial(t, nil)
	if err == nil {
		err = ask(c)
	}
	if err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
