package bench_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kmproxy/bench/load"
)

// gateway is a running program that requests are sent through.
type gateway struct {
	name    string
	address string
	pid     int
}

const nginxConf = `daemon off; master_process off; pid %[1]s/nginx.pid; error_log %[1]s/nginx.err;
events { worker_connections 256; }
http {
  access_log off; client_body_temp_path /tmp; proxy_temp_path /tmp; fastcgi_temp_path /tmp; uwsgi_temp_path /tmp; scgi_temp_path /tmp;
  upstream up { server %[2]s; keepalive 32; }
  server {
    listen %[3]s ssl; ssl_certificate %[1]s/cert.pem; ssl_certificate_key %[1]s/key.pem; ssl_protocols TLSv1.2 TLSv1.3; keepalive_requests 1000000;
    client_max_body_size 8m; client_body_buffer_size 4m;
    location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`

// nginx is a plain TLS hop.
func (s *stage) nginx(b *testing.B) gateway {
	address := freeAddress(b)
	s.write(b, "nginx.conf", fmt.Appendf(nil, nginxConf, s.dir, s.upstream.Listener.Addr(), address))
	cmd := exec.Command("nginx", "-p", s.dir, "-c", s.path("nginx.conf"))
	return gateway{"nginx, plain TLS hop", address, start(b, cmd, address)}
}

// ordinary is a gateway as it is written the ordinary way; without encryption it is a
// bare ReverseProxy.
func (s *stage) ordinary(b *testing.B, by toolchain, encrypts bool) gateway {
	address, name := freeAddress(b), "bare ReverseProxy"
	args := []string{"-listen", address, "-upstream", s.upstream.URL, "-cert", s.path("cert.pem"), "-key", s.path("key.pem")}
	if encrypts {
		name = "ordinary gateway"
		args = append(args, "-server", s.path("server.pem"), "-client", s.path("client.pem"), "-secret", string(s.caller.Secret.Expose()))
	}
	program := by.build(b, s.dir, "kmproxy/bench/ordinary")
	return gateway{name + ", " + string(by), address, start(b, exec.Command(program, args...), address)}
}

// kmproxy runs by a wrapping command, if one is given. It may remember content keys.
func (s *stage) kmproxy(b *testing.B, by toolchain, remembers bool, wrapped ...string) gateway {
	dir, address := b.TempDir(), freeAddress(b)
	program := by.build(b, s.dir, "kmproxy/cmd/kmproxy")
	config := fmt.Sprintf("[listen]\naddress = %q\n[tls]\nmode = \"files\"\nhostnames = []\ncert_file = %q\nkey_file = %q\n[upstream]\nurl = %q\n[admin]\naddress = %q\n"+
		"[admission]\nreplay_window = \"0s\"\nmax_body = \"4MiB\"\n[cek_cache]\nenabled = %t\nmax_messages = 1000000\nmax_bytes = \"16GiB\"\nmax_age = \"1h\"\n",
		address, s.path("cert.pem"), s.path("key.pem"), s.upstream.URL, freeAddress(b), remembers) // the same request is sent many times: no replay memory
	fatal(b, os.WriteFile(filepath.Join(dir, "config.toml"), []byte(config), 0o600))
	for _, args := range [][]string{
		{"project", "create", "--asp-id", string(s.caller.ASPID), "--access-key", string(s.caller.AccessKey), "--secret-key-file", s.path("secret")},
		{"key", "import", "--asp-id", string(s.caller.ASPID), "--key-id", string(s.caller.KeyID), "--server-private-key", s.path("server.pem"), "--client-public-key", s.path("client.pem")},
	} {
		cmd := exec.Command(program, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("kmproxy %q: %v\n%s", args, err, out)
		}
	}
	argv := append(wrapped, program, "serve")
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = dir
	return gateway{"kmproxy, " + string(by), address, start(b, cmd, address)}
}

// line is kept connections to a gateway, and work that is done over them.
type line struct {
	gateway
	work
	call load.Call
}

// line connects workers over HTTP/1.1, and makes a first call over each connection: one
// that brings none is soon closed.
func (s *stage) line(b *testing.B, g gateway, w work, workers int) line {
	pool, conns := s.pool(b, w), make([]*load.Conn, workers)
	for i := range conns {
		var err error
		conns[i], err = load.Dial(g.address, s.roots)
		fatal(b, err)
		b.Cleanup(func() { _ = conns[i].Close() }) // nothing is under way
	}
	l := line{g, w, func(worker, i int) error {
		status, body, err := conns[worker].Do(pool[i%len(pool)])
		if err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
		return w.answered(status, body)
	}}
	for i := range conns {
		fatal(b, l.call(i, i))
	}
	return l
}

// line2 is over one connection of HTTP/2.
func (s *stage) line2(b *testing.B, g gateway, w work) line {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.roots}, ForceAttemptHTTP2: true, DisableCompression: true}
	b.Cleanup(transport.CloseIdleConnections)
	header, body := s.request(b, w)
	return line{g, w, func(_, _ int) error {
		r, err := http.NewRequest(http.MethodPost, "https://"+g.address+w.path(), strings.NewReader(string(body)))
		if err != nil {
			return err
		}
		r.Header = header.Clone()
		answer, err := transport.RoundTrip(r)
		if err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
		defer func() { _ = answer.Body.Close() }() // it is read to its end
		text, err := io.ReadAll(answer.Body)
		if err == nil && answer.ProtoMajor != 2 {
			err = fmt.Errorf("%s answered over %s", g.name, answer.Proto)
		}
		if err != nil {
			return err
		}
		return w.answered(answer.StatusCode, text)
	}}
}

// measured makes calls, and says how they went and what CPU one of them took of the
// gateway, in microseconds.
func (l line) measured(b *testing.B, workers, calls int) (load.Result, float64) {
	before := cpuOf(b, l.pid)
	r := load.Closed(workers, calls, l.call)
	fatal(b, r.Err)
	return r, float64((cpuOf(b, l.pid) - before).Nanoseconds()) / 1e3 / float64(calls)
}
