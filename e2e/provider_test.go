package e2e_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/proxy/caller"
)

// arsPath is the route of the shipped config.
const arsPath = "/api/v1/bankaccounts/ars/auth"

// provider is a service provider with a project and a key that commands made.
type provider struct {
	caller.Caller
	conns *http.Transport
}

// newProvider registers a project with an active key; the gateway need not run.
func newProvider(t *testing.T, g *gateway, number int) *provider {
	t.Helper()
	asp := fmt.Sprintf("%015d", number)
	project := g.run(t, "project", "create", "--asp-id", asp)
	key := g.run(t, "key", "create", "--asp-id", asp)
	private, err := os.ReadFile(filepath.Join(g.dir, key["key_id"].(string)+"_client_private.pem"))
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := jwk.ParsePrivatePEM(private)
	if err != nil {
		t.Fatal(err)
	}
	client, err := jwk.NewPrivate(rsaKey, alg.All())
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{Caller: caller.Caller{URL: "https://" + g.public, ASPID: keys.ASPID(asp),
		AccessKey: keys.AccessKey(project["access_key"].(string)), Secret: sensitive.New([]byte(project["secret_key"].(string))),
		KeyID: keys.KeyID(key["key_id"].(string)), Server: publicHalf(t, key["server_public_key"].(string)), Client: client, Now: time.Now}}
	return p
}

// connect gives the provider connections of his own. The gateway must have run.
func (p *provider) connect(t *testing.T, roots *x509.CertPool) *provider {
	t.Helper()
	p.conns = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 1000, DisableCompression: true}
	t.Cleanup(p.conns.CloseIdleConnections)
	p.HTTP = &http.Client{Transport: p.conns, Timeout: patience}
	return p
}

func publicHalf(t *testing.T, text string) jwk.Public {
	t.Helper()
	parsed, err := jwk.ParsePublicPEM([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	half, err := jwk.NewPublic(parsed, alg.All())
	if err != nil {
		t.Fatal(err)
	}
	return half
}

// ask makes one encrypted call with a body of its own and wants exactly the
// answer that the upstream gave to that body.
func (p *provider) ask(ctx context.Context, id string) error {
	x, err := p.Call(ctx, arsPath, request(id))
	if err != nil {
		return fmt.Errorf("call %s: %w", id, err)
	}
	if x.Status != http.StatusOK || !x.Encrypted || strings.TrimRight(string(x.Plaintext), " ") != answerTo(id) {
		return fmt.Errorf("call %s: status %d, encrypted %t: %.200s", id, x.Status, x.Encrypted, x.AnswerBody)
	}
	return nil
}
