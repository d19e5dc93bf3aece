package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"kmproxy/cmd/internal/wire"
	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/keys/manage"
)

func projectCreate(e *env, c *cli.Context) (result, error) {
	n, err := e.newProject(c)
	if err != nil {
		return nil, err
	}
	m, cfg, err := e.manager(c, wire.ToWrite)
	if err != nil {
		return nil, err
	}
	issued, err := m.CreateProject(c.Context, actor(), n)
	if err != nil {
		return nil, explain(err)
	}
	out := issuedProject{ASPID: issued.ASPID, AccessKey: issued.AccessKey, SecretKey: string(issued.Secret.Expose()),
		ClientPin: n.ClientPin.String(), next: "Next: kmproxy key create --asp-id " + string(issued.ASPID)}
	if out.ClientPin != "" && cfg.TLS.ClientCAFile == "" {
		out.next = "tls.client_ca_file is not set: of the client certificate its key alone is checked, not who issued it and until when.\n" + out.next
	}
	return out, nil
}

func (e *env) newProject(c *cli.Context) (manage.NewProject, error) {
	n := manage.NewProject{Name: c.String("name")}
	var err error
	if n.ASPID, err = keys.ParseASPID(c.String("asp-id")); err != nil {
		return n, usageError("", "--asp-id: %w", err)
	}
	if !isLabel(n.Name) {
		return n, usageError("", "--name: wants up to 100 printable characters")
	}
	if c.IsSet("access-key") {
		if n.AccessKey, err = keys.ParseAccessKey(c.String("access-key")); err != nil {
			return n, usageError("", "--access-key: %w", err)
		}
	}
	if c.IsSet("access-key") != c.IsSet("secret-key-file") {
		return n, usageError("a pair that is in use elsewhere is brought along whole", "--access-key and --secret-key-file go together")
	}
	if c.IsSet("secret-key-file") {
		if n.Secret, err = e.secretFile(c.String("secret-key-file")); err != nil {
			return n, err
		}
	}
	if c.IsSet("client-cert") {
		n.ClientPin, err = e.clientPin(c.String("client-cert"))
	}
	return n, err
}

// clientPin is the pin of the first certificate in a PEM file.
func (e *env) clientPin(name string) (keys.Pin, error) {
	text, err := wire.ReadPublicFile(e.path(name))
	if err != nil {
		return keys.Pin{}, fmt.Errorf("--client-cert: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return keys.Pin{}, fmt.Errorf("--client-cert: %s does not begin with a PEM certificate", name)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return keys.Pin{}, fmt.Errorf("--client-cert: %s: %w", name, err)
	}
	return keys.NewPin(cert.RawSubjectPublicKeyInfo), nil
}

// secretFile reads a secret without the line's end that an editor leaves.
func (e *env) secretFile(name string) (sensitive.Bytes, error) {
	content, err := wire.ReadSecretFile(e.path(name))
	if err != nil {
		return sensitive.Bytes{}, err
	}
	defer content.Wipe()
	secret := strings.TrimRight(string(content.Expose()), "\r\n")
	if secret == "" { // or a new one would be made
		return sensitive.Bytes{}, fmt.Errorf("%s is empty", name)
	}
	return sensitive.New([]byte(secret)), nil
}

// issuedProject is the only result that holds a secret.
type issuedProject struct {
	ASPID     keys.ASPID     `json:"asp_id"`
	AccessKey keys.AccessKey `json:"access_key"`
	SecretKey string         `json:"secret_key"`
	ClientPin string         `json:"client_pin,omitempty"`
	next      string
}

func (r issuedProject) text(w io.Writer) error {
	fields := []string{"asp id", string(r.ASPID), "access key", string(r.AccessKey), "secret key", r.SecretKey}
	if r.ClientPin != "" {
		fields = append(fields, "client pin", r.ClientPin)
	}
	if err := record(w, fields...); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\nThe secret key is not shown again: hand it to the service provider now.\n"+r.next+"\n")
	return err
}
