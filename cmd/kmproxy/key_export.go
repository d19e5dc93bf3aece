package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"kmproxy/crypto/jwk"
	"kmproxy/keys"
)

func keyExport(e *env, c *cli.Context) (result, error) {
	format, half := c.String("format"), c.String("half")
	if format != "pem" && format != "jwk" {
		return nil, usageError("", "--format: wants pem or jwk, not %q", format)
	}
	if half != "" && half != "server" && half != "client" {
		return nil, usageError("", "--half: wants server or client, not %q", half)
	}
	_, k, err := e.key(c)
	if err != nil {
		return nil, err
	}
	out := exported{KeyID: k.ID, half: half}
	if format == "pem" {
		out.server, out.client = k.ServerPEM, k.ClientPEM
		return out, nil
	}
	out.jwk = true
	if out.server, err = jwkOf(k.ID, k.Server); err != nil {
		return nil, err
	}
	out.client, err = jwkOf(k.ID, k.Client)
	return out, err
}

func jwkOf(id keys.KeyID, half func() (jwk.Public, error)) (string, error) {
	public, err := half()
	if err != nil {
		return "", fmt.Errorf("key %s: %w", id, err)
	}
	text, err := public.JWK(string(id))
	return string(text), err
}

// exported are a key's public halves, one of them or both.
type exported struct {
	KeyID          keys.KeyID
	server, client string
	half           string // "": both
	jwk            bool
}

// MarshalJSON shows a PEM as a string and a JWK as the object it is.
func (r exported) MarshalJSON() ([]byte, error) {
	out := map[string]any{"key_id": r.KeyID}
	for half, text := range map[string]string{"server": r.server, "client": r.client} {
		switch {
		case r.half != "" && r.half != half:
		case r.jwk:
			out[half+"_public_key"] = json.RawMessage(text)
		default:
			out[half+"_public_key"] = text
		}
	}
	return json.Marshal(out)
}

func (r exported) text(w io.Writer) error {
	var err error
	switch {
	case r.half == "server":
		_, err = fmt.Fprintln(w, strings.TrimSpace(r.server))
	case r.half == "client":
		_, err = fmt.Fprintln(w, strings.TrimSpace(r.client))
	case r.jwk:
		err = encodeJSON(w, r)
	default:
		_, err = fmt.Fprintf(w, "server public key: requests are encrypted to it\n%s\nclient public key: answers are encrypted to it\n%s", r.server, r.client)
	}
	return err
}
