package acme_test

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	"kmproxy/proxy/listen"
)

// TestClientCertificatesDemanded: the ACME server has no client certificate and is
// answered; every other client needs one, and a probe ends with its handshake.
func TestClientCertificatesDemanded(t *testing.T) {
	t.Parallel()
	ca, err := listen.NewLocalCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(ca.Certificate())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	w, run := newWorld(t, "mutual.kmproxy.test", setting{noHTTP: true, clients: pool})
	w.pebble.Start(t)
	run()
	w.ready(t)
	conn, err := w.dial(t, w.pebble.Issued(t))
	if err == nil { // in TLS 1.3 a client learns only by reading that it was refused
		err = request(conn)
	}
	if err == nil {
		t.Error("a client without a certificate is served")
	}
	if _, err := tls.Dial("tcp", w.address, &tls.Config{ServerName: w.name, InsecureSkipVerify: true, // what is asked is whether it succeeds
		NextProtos: []string{"acme-tls/1"}}); err == nil {
		t.Error("a probe without a challenge under way succeeds")
	}
	if n := w.proxied.Load(); n != 0 {
		t.Errorf("%d requests came through", n)
	}
}
