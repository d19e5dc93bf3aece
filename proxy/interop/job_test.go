package interop_test

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"kmproxy/proxy/proxytest"
)

// job is the input of a client: which URL to call, with which credentials, and what to
// send. A script reads it as JSON.
type job struct {
	URL              string `json:"url"`
	CAFile           string `json:"caFile"`
	ASPID            string `json:"aspId"`
	AccessKey        string `json:"accessKey"`
	SecretKey        string `json:"secretKey"`
	KeyID            string `json:"keyId"`
	ServerPublicKey  string `json:"serverPublicKey"`  // PEM, SubjectPublicKeyInfo
	ClientPrivateKey string `json:"clientPrivateKey"` // PEM, PKCS #8
	Calls            []call `json:"calls"`
}

// report is what a client says afterwards.
type report struct {
	Client  string   `json:"client"` // its names and versions
	Results []result `json:"results"`
}

// result is one call as the client saw it.
type result struct {
	Name          string `json:"name"`
	Error         string `json:"error"`         // empty: all went well
	Token         string `json:"token"`         // as it was sent
	CorrelationID string `json:"correlationId"` // as it was received
	KeyID         string `json:"keyId"`         // as it was received
	Alg           string `json:"alg"`           // of the answer
	Enc           string `json:"enc"`           // of the answer
	Answer        []byte `json:"answer"`        // opened
}

// newJob describes a running proxy to a client.
func newJob(t *testing.T, p *proxytest.Proxy) job {
	t.Helper()
	server, client := p.Private[0], p.Private[1] // the first key that was made: the caller's
	public, err := x509.MarshalPKIXPublicKey(&server.PublicKey)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(client)
	must(t, err)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	must(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.CACert}), 0o600))
	return job{
		URL: p.URL, CAFile: ca,
		ASPID: string(p.Caller.ASPID), AccessKey: string(p.Caller.AccessKey), KeyID: string(p.Caller.KeyID),
		SecretKey:        string(p.Caller.Secret.Expose()),
		ServerPublicKey:  string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
		ClientPrivateKey: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		Calls:            calls(),
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
