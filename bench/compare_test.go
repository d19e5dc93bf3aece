package bench_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/proxy/caller"
	"kmproxy/proxy/listen"
)

// compareRounds and compareCalls: every gateway makes that many calls in every
// round, one gateway after the other, so that what else the machine does meets all.
const (
	compareRounds = 5
	compareCalls  = 800
)

// BenchmarkCompare measures the CPU time of whole processes for one request of
// 1 KiB over kept TLS connections: kmproxy beside nginx as a plain TLS hop, a
// gateway written the ordinary way, and one RSA operation by OpenSSL, all in the
// same rounds. What counts are the ratios. With KMPROXY_BENCH_OUT set it also
// writes them down.
func BenchmarkCompare(b *testing.B) {
	for _, program := range []string{"nginx", "openssl"} {
		if _, err := exec.LookPath(program); err != nil {
			b.Skipf("%s is missing: apt-get install nginx-light openssl", program)
		}
	}
	s := newStage(b)
	all := s.targets(b)
	for _, t := range all {
		t.calls(b, s, compareCalls/4) // warm
	}
	cost, rsa := map[string][]float64{}, []float64{}
	for range compareRounds {
		rsa = append(rsa, opensslRSA(b))
		for _, t := range all {
			before := cpuOf(b, t.pid)
			t.calls(b, s, compareCalls)
			cost[t.name] = append(cost[t.name], float64(cpuOf(b, t.pid)-before)/1e3/compareCalls)
		}
	}
	s.tell(b, all, cost, rsa)
	b.ReportMetric(0, "ns/op")
}

// stage is what all gateways share: an upstream, a certificate, one key pair.
type stage struct {
	dir      string
	upstream *httptest.Server
	roots    *x509.CertPool
	caller   caller.Caller
	bodies   [][]byte // encrypted
	plain    []byte
}

type target struct {
	name      string
	address   string
	pid       int
	encrypted bool
}

func newStage(b *testing.B) *stage {
	s := &stage{dir: b.TempDir(), roots: x509.NewCertPool(), plain: fmt.Appendf(nil, `{"userId":1,"pad":%q}`, strings.Repeat("p", 1000))}
	s.upstream = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"authNumber":"1234"}`)
	}))
	b.Cleanup(s.upstream.Close)
	ca, err := listen.NewLocalCA(time.Now())
	fatal(b, err)
	root, err := x509.ParseCertificate(ca.Certificate())
	fatal(b, err)
	s.roots.AddCert(root)
	pair, err := ca.Certificates([]string{"127.0.0.1"}, time.Now)(&tls.ClientHelloInfo{})
	fatal(b, err)
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	fatal(b, err)
	var chain []byte
	for _, der := range pair.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	s.write(b, "cert.pem", chain)
	s.write(b, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	s.provider(b)
	return s
}

func (s *stage) write(b *testing.B, name string, content []byte) {
	fatal(b, os.WriteFile(filepath.Join(s.dir, name), content, 0o600))
}

// provider makes the keys, which every gateway gets, and the requests.
func (s *stage) provider(b *testing.B) {
	server, err := jwk.Generate(2048)
	fatal(b, err)
	client, err := jwk.Generate(2048)
	fatal(b, err)
	private, err := jwk.PrivatePEM(server)
	fatal(b, err)
	s.write(b, "server.pem", private.Expose())
	public, err := jwk.NewPublic(&client.PublicKey, alg.All())
	fatal(b, err)
	text, err := public.PEM()
	fatal(b, err)
	s.write(b, "client.pem", text)
	s.caller = caller.Caller{ASPID: "000000000000001", AccessKey: keys.AccessKey(strings.Repeat("a", 40)), KeyID: keys.KeyID(strings.Repeat("0", 31) + "1"),
		Secret: sensitive.New([]byte("the secret of the benchmark")), Now: time.Now}
	s.write(b, "secret", s.caller.Secret.Expose())
	s.caller.Server, err = jwk.NewPublic(&server.PublicKey, alg.All())
	fatal(b, err)
	for range 64 {
		body, err := s.caller.Encrypt(s.plain)
		fatal(b, err)
		s.bodies = append(s.bodies, body)
	}
}

// targets starts every gateway.
func (s *stage) targets(b *testing.B) []*target {
	var out []*target
	add := func(name string, encrypted bool, address string, cmd *exec.Cmd) {
		out = append(out, &target{name, address, s.start(b, cmd, address), encrypted})
	}
	for _, release := range []bool{false, true} {
		suffix, program := "", build(b, s.dir, release, "kmproxy/cmd/kmproxy")
		if release {
			suffix = ", BoringCrypto"
		}
		address, dir := s.kmproxy(b, program)
		cmd := exec.Command(program, "serve")
		cmd.Dir = dir
		add("kmproxy"+suffix, true, address, cmd)
		out = append(out, &target{"kmproxy, plain bodies" + suffix, address, out[len(out)-1].pid, false})
		ordinary := build(b, s.dir, release, "kmproxy/bench/ordinary")
		address = freeAddress(b)
		add("ordinary gateway"+suffix, true, address, exec.Command(ordinary, s.flags(address, "-server", s.path("server.pem"), "-client", s.path("client.pem"), "-secret", string(s.caller.Secret.Expose()))...))
		address = freeAddress(b)
		add("bare ReverseProxy"+suffix, false, address, exec.Command(ordinary, s.flags(address)...))
	}
	address := freeAddress(b)
	s.write(b, "nginx.conf", fmt.Appendf(nil, nginxConf, s.dir, s.dir, s.upstream.Listener.Addr(), address, s.path("cert.pem"), s.path("key.pem")))
	add("nginx, plain TLS hop", false, address, exec.Command("nginx", "-p", s.dir, "-c", s.path("nginx.conf")))
	return out
}

const nginxConf = `daemon off; master_process off; pid %s/nginx.pid; error_log %s/nginx.err;
events { worker_connections 256; }
http {
  access_log off; client_body_temp_path /tmp; proxy_temp_path /tmp; fastcgi_temp_path /tmp; uwsgi_temp_path /tmp; scgi_temp_path /tmp;
  upstream up { server %s; keepalive 32; }
  server {
    listen %s ssl; ssl_certificate %s; ssl_certificate_key %s; keepalive_requests 1000000;
    location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

func (s *stage) flags(address string, more ...string) []string {
	return append([]string{"-listen", address, "-upstream", s.upstream.URL, "-cert", s.path("cert.pem"), "-key", s.path("key.pem")}, more...)
}

// kmproxy makes a folder in which the key is known.
func (s *stage) kmproxy(b *testing.B, program string) (address, dir string) {
	dir, address = b.TempDir(), freeAddress(b)
	config := fmt.Sprintf("[listen]\naddress = %q\n[tls]\nmode = \"files\"\nhostnames = []\ncert_file = %q\nkey_file = %q\n[upstream]\nurl = %q\n[admin]\naddress = %q\n[admission]\nreplay_window = \"0s\"\n",
		address, s.path("cert.pem"), s.path("key.pem"), s.upstream.URL, freeAddress(b))
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
	return address, dir
}

// start runs a gateway until the benchmark ends, and returns when it listens.
func (s *stage) start(b *testing.B, cmd *exec.Cmd, address string) int {
	fatal(b, cmd.Start())
	b.Cleanup(func() {
		_ = cmd.Process.Kill() // it has nothing to lose
		_ = cmd.Wait()
	})
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			return cmd.Process.Pid
		}
		if time.Now().After(end) {
			b.Fatalf("%s does not listen: %v", cmd, err)
		}
	}
}

func build(b *testing.B, dir string, release bool, pkg string) string {
	name := filepath.Join(dir, filepath.Base(pkg)+strconv.FormatBool(release))
	cmd := exec.Command("go", "build", "-o", name, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if release {
		cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "GOEXPERIMENT=boringcrypto")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("building %s: %v\n%s", pkg, err, out)
	}
	return name
}

// calls makes that many, four at a time over kept connections, and wants all to be answered.
func (t *target) calls(b *testing.B, s *stage, count int) {
	const workers = 4
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.roots}, MaxIdleConnsPerHost: workers}
	defer transport.CloseIdleConnections()
	done := make(chan error, workers)
	for w := range workers {
		go func() {
			var err error
			for i := w; i < count && err == nil; i += workers {
				err = t.call(s, transport, i)
			}
			done <- err
		}()
	}
	for range workers {
		if err := <-done; err != nil {
			b.Fatalf("%s: %v", t.name, err)
		}
	}
}

func (t *target) call(s *stage, transport *http.Transport, i int) error {
	body := s.plain
	if t.encrypted {
		body = s.bodies[i%len(s.bodies)]
	}
	r, err := http.NewRequest(http.MethodPost, "https://"+t.address+"/api/v1/bankaccounts/ars/auth", strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	s.caller.Sign(r.Header, body)
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // it is read to its end
	text, err := io.ReadAll(answer.Body)
	if err == nil && (answer.StatusCode != http.StatusOK || t.encrypted != strings.HasPrefix(string(text), `{"encData"`)) {
		err = fmt.Errorf("status %d: %.100s", answer.StatusCode, text)
	}
	return err
}

// cpuOf is what a process has used, user and system, in nanoseconds: /proc/PID/schedstat
// of its threads, for the ticks of stat are too coarse.
func cpuOf(b *testing.B, pid int) (ns int64) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	fatal(b, err)
	for _, file := range threads {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		n, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		fatal(b, err)
		ns += n
	}
	return ns
}

// opensslRSA is the CPU time of one RSA-2048 private operation, in microseconds.
func opensslRSA(b *testing.B) float64 {
	out, err := exec.Command("openssl", "speed", "-seconds", "1", "rsa2048").Output()
	fatal(b, err)
	m := regexp.MustCompile(`(?m)^rsa\s+2048 bits\s+([0-9.]+)s`).FindSubmatch(out)
	if m == nil {
		b.Fatalf("openssl speed said %s", out)
	}
	seconds, err := strconv.ParseFloat(string(m[1]), 64)
	fatal(b, err)
	return seconds * 1e6
}

func freeAddress(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	fatal(b, err)
	defer func() { _ = l.Close() }() // it is free again
	return l.Addr().String()
}

func fatal(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// tell prints what was measured, and the ratios that are of interest.
func (s *stage) tell(b *testing.B, all []*target, cost map[string][]float64, rsa []float64) {
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	line("| CPU of the process for one request of 1 KiB | median µs | min | max |")
	line("| --- | ---: | ---: | ---: |")
	row := func(name string, v []float64) {
		line("| %s | %.0f | %.0f | %.0f |", name, median(v), slices.Min(v), slices.Max(v))
	}
	row("one RSA-2048 operation by OpenSSL", rsa)
	for _, t := range all {
		row(t.name, cost[t.name])
	}
	line("")
	line("| ratio, median of the rounds | wanted | measured |")
	line("| --- | ---: | ---: |")
	ratio := func(name, wanted string, of, to []float64) {
		each := make([]float64, len(of))
		for i := range of {
			each[i] = of[i] / to[i]
		}
		line("| %s | %s | %.2f (%.2f to %.2f) |", name, wanted, median(each), slices.Min(each), slices.Max(each))
	}
	floor := make([]float64, len(rsa))
	for i := range rsa {
		floor[i] = rsa[i] + cost["nginx, plain TLS hop"][i]
	}
	ratio("kmproxy, BoringCrypto : OpenSSL's RSA + nginx's hop", "1.15", cost["kmproxy, BoringCrypto"], floor)
	ratio("kmproxy : ordinary gateway", "0.55", cost["kmproxy"], cost["ordinary gateway"])
	ratio("kmproxy, BoringCrypto : ordinary gateway, BoringCrypto", "0.75", cost["kmproxy, BoringCrypto"], cost["ordinary gateway, BoringCrypto"])
	ratio("kmproxy, plain bodies : bare ReverseProxy", "-", cost["kmproxy, plain bodies"], cost["bare ReverseProxy"])
	b.Logf("%s, %d cores, %d rounds of %d calls\n\n%s", runtime.Version(), runtime.NumCPU(), compareRounds, compareCalls, out.String())
	if file := os.Getenv("KMPROXY_BENCH_OUT"); file != "" {
		fatal(b, os.WriteFile(file, []byte(out.String()), 0o644))
	}
}
