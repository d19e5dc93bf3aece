package wire_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/cmd/internal/wire"
	"kmproxy/proxy/listen/acme/acmetest"
	"kmproxy/proxy/proxytest"
)

// TestACME: a whole proxy gets its certificate, is not ready before and serves
// with it after, and refuses what it cannot change while it runs.
func TestACME(t *testing.T) {
	const name = "gateway.kmproxy.test"
	dir := t.TempDir()
	pebble := acmetest.New(t, acmetest.Config{HTTPPort: acmetest.FreePort(t), TLSPort: acmetest.FreePort(t)})
	text := fmt.Sprintf("[listen]\naddress = '127.0.0.1:0'\n[admin]\naddress = '127.0.0.1:0'\n[tls]\nmode = 'acme'\nhostnames = ['%s']\n"+
		"[tls.acme]\ndirectory = '%s'\nca_root_file = '%s'\nhttp_port = %d\n", name, pebble.Directory, pebble.RootFile, pebble.Config.HTTPPort)
	file := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	log := &proxytest.Buffer{}
	g, err := wire.Build(t.Context(), c, world, slog.New(slog.NewJSONHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	readyz := "http://" + g.AdminAddress().String() + "/readyz"
	if status, body := get(t, http.DefaultClient, readyz); status != http.StatusServiceUnavailable || !strings.Contains(body, "no certificate for "+name) {
		t.Errorf("before there is a certificate: %d %s", status, body)
	}
	pebble.Start(t)
	status, body := 0, ""
	for end := time.Now().Add(30 * time.Second); status != http.StatusOK && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		status, body = get(t, http.DefaultClient, readyz)
	}
	if body != "ok\n" {
		t.Fatalf("no certificate: %d %s\n%s", status, body, log)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{ServerName: name, RootCAs: pebble.Issued(t)}, DisableKeepAlives: true}}
	if status, body := get(t, client, "https://"+g.PublicAddress().String()+"/"); status != http.StatusNotFound || !strings.Contains(body, "900_006") {
		t.Errorf("over TLS: %d %s", status, body)
	}
	if info, err := os.Stat(filepath.Join(dir, "data", "acme")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("its folder: %v, %v", info, err)
	}
	other := c
	other.TLS.Hostnames = []string{"other.kmproxy.test"}
	if err := g.Reload(ctx, other); err == nil || !strings.Contains(err.Error(), "tls.hostnames") {
		t.Errorf("other hostnames: %v", err)
	}
	if err := g.Reload(ctx, c); err != nil {
		t.Errorf("the same config: %v", err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func get(t *testing.T, client *http.Client, url string) (status int, body string) {
	t.Helper()
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }() // read whole, or the error says so
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}
