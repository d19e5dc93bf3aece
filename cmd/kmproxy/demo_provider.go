package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/cmd/internal/wire"
	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwk"
	"kmproxy/keys"
	"kmproxy/keys/manage"
	"kmproxy/proxy/caller"
)

// provider is the demo's service provider, with the files he would be handed.
type provider struct {
	issued     manage.Issued
	key        keys.Key
	client     jwk.Private
	serverFile string // PEM, public
	clientFile string // PEM, private
}

// enrol registers a new service provider and makes his crypto key.
func (e *env) enrol(ctx context.Context, cfg config.Config, dir string) (provider, error) {
	vault, err := wire.OpenVault(ctx, cfg, e.world(), wire.ToWrite)
	if err != nil {
		return provider{}, err
	}
	m, err := vault.Manager(ctx, cfg, e.world())
	if err != nil {
		return provider{}, err
	}
	id := keys.ASPID("DEM" + e.now().UTC().Format("060102150405"))
	p := provider{}
	if p.issued, err = m.CreateProject(ctx, actor(), manage.NewProject{ASPID: id, Name: "demo"}); err != nil {
		return p, err
	}
	return p, p.newKey(ctx, m, dir)
}

func (p *provider) newKey(ctx context.Context, m *manage.Manager, dir string) error {
	n := manage.NewKey{ID: keys.NewKeyID(), ASPID: p.issued.ASPID}
	var err error
	if n.Server, err = jwk.Generate(newKeyBits); err != nil {
		return err
	}
	client, file, err := newClient(dir, n.ID)
	if err != nil {
		return err
	}
	p.clientFile, n.Client = file, &client.PublicKey
	if p.client, err = jwk.NewPrivate(client, alg.All()); err != nil {
		return err
	}
	if p.key, err = m.CreateKey(ctx, actor(), n); err != nil {
		return err
	}
	p.serverFile = filepath.Join(dir, string(n.ID)+"_server_public.pem")
	return os.WriteFile(p.serverFile, []byte(p.key.ServerPEM), 0o644)
}

// caller is the provider's client, which trusts the demo's own CA.
func (p *provider) caller(cfg config.Config) (*caller.Caller, error) {
	server, err := p.key.Server()
	if err != nil {
		return nil, err
	}
	roots, err := rootsOf(filepath.Join(cfg.Store.Dir, wire.CAFile))
	if err != nil {
		return nil, err
	}
	return &caller.Caller{
		URL:   "https://" + cfg.Listen.Address + cfg.Listen.BasePath,
		ASPID: p.issued.ASPID, AccessKey: p.issued.AccessKey, Secret: p.issued.Secret,
		KeyID: p.key.ID, Server: server, Client: p.client, Now: time.Now,
		HTTP: &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true,
			TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}},
	}, nil
}

// preferred is the address if it is free and wanted, else any free port of loopback.
func preferred(address string, any bool) string {
	const free = "127.0.0.1:0"
	if any {
		return free
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return free
	}
	if err := l.Close(); err != nil {
		return free
	}
	return address
}

func (s *stage) commands() result {
	call := fmt.Sprintf("KMPROXY_SECRET_KEY=%s \\\n  kmproxy --config %s call %s --data '{\"userId\":1}' \\\n"+
		"  --asp-id %s --access-key %s \\\n  --key-id %s \\\n  --server-public-key %s \\\n  --client-private-key %s\n",
		s.provider.issued.Secret.Expose(), filepath.Join(s.dir, "config.toml"), "/api/v1/bankaccounts/ars/auth",
		s.provider.issued.ASPID, s.provider.issued.AccessKey, s.provider.key.ID, s.provider.serverFile, s.provider.clientFile)
	return hints{call, s.config.Admin.Address, filepath.Join(s.dir, "config.toml")}
}
