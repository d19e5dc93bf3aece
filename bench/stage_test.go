package bench_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwe"
	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/proxy/caller"
	"kmproxy/proxy/listen"
)

// stage is what all gateways share: an upstream, a certificate, one key pair, and
// prepared requests.
type stage struct {
	dir      string
	upstream *httptest.Server
	roots    *x509.CertPool
	caller   caller.Caller
	reused   *jwe.Sealer
	pools    map[work][][]byte
}

func newStage(b *testing.B) *stage {
	s := &stage{dir: b.TempDir(), roots: x509.NewCertPool(), pools: map[work][][]byte{}}
	s.upstream = httptest.NewServer(http.HandlerFunc(answer))
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

// answer is the upstream's: as long as the query asks for.
func answer(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // who calls sees whether it arrived
	w.Header().Set("Content-Type", "application/json")
	if r.URL.RawQuery == "" {
		_, _ = io.WriteString(w, `{"authNumber":"1234"}`)
		return
	}
	const least = len(`{"authNumber":""}`)
	n, err := strconv.Atoi(r.URL.Query().Get("answer"))
	if err != nil || n < least {
		http.Error(w, "no such answer", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(n))
	_, _ = fmt.Fprintf(w, `{"authNumber":%q}`, strings.Repeat("1", n-least))
}

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

func (s *stage) write(b *testing.B, name string, content []byte) {
	fatal(b, os.WriteFile(s.path(name), content, 0o600))
}

// provider makes the keys, which every gateway gets.
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
	s.reused, err = jwe.NewSealer(s.caller.Server, alg.Preferred())
	fatal(b, err)
}
