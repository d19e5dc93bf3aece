package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/cmd/internal/wire"
	"kmproxy/crypto/alg"
	"kmproxy/crypto/envelope"
	"kmproxy/crypto/jwk"
	"kmproxy/keys"
)

// fillStore writes records by hand, because making 10,000 RSA keys would take an
// hour: each key has the same halves under another id. A project has two keys.
func fillStore(t *testing.T, dir string, count int) { t.Helper(); fillProjects(t, dir, count, 2) }

// fillProjects does so with that many keys a project.
func fillProjects(t *testing.T, dir string, count, each int) {
	t.Helper()
	ctx := context.Background()
	cfg := config.Default(dir)
	world := wire.World{Getenv: os.Getenv, Now: time.Now}
	vault, err := wire.OpenVault(ctx, cfg, world, wire.ToWrite)
	if err != nil {
		t.Fatal(err)
	}
	f := newFill(t, vault.Master)
	half := newHalves(t)
	for i := 0; i < count; i += each {
		f.project(t, half, i, min(each, count-i))
	}
	if _, err := vault.Store.Commit(ctx, 0, f.changes...); err != nil {
		t.Fatal(err)
	}
}

// halves are a key pair in the forms that a record has.
type halves struct {
	public        string
	publicJSON    []byte
	privateBase64 string
}

func newHalves(t *testing.T) halves {
	t.Helper()
	k, err := jwk.Generate(newKeyBits)
	if err != nil {
		t.Fatal(err)
	}
	der, err := jwk.PrivateDER(k)
	if err != nil {
		t.Fatal(err)
	}
	half, err := jwk.NewPublic(&k.PublicKey, alg.All())
	if err != nil {
		t.Fatal(err)
	}
	public, err := half.PEM()
	if err != nil {
		t.Fatal(err)
	}
	return halves{string(public), marshal(string(public)), base64.StdEncoding.EncodeToString(der.Expose())}
}

// record is a project with some keys, as package keys writes it.
func (h halves) record(master envelope.Key, number, count int) keys.Change {
	id, access := fmt.Sprintf("%015d", number), fmt.Sprintf("%040d", number)
	var list, private []string
	for i := range count {
		id, state := fmt.Sprintf("%032x", number+i), [...]string{"active", "staged"}[i]
		list = append(list, fmt.Sprintf(`{"key_id":%q,"state":%q,"created_at":%q,"since":%q,"algs":["RSA-OAEP","RSA-OAEP-256"],"encs":["A128GCM","A256GCM"],`+
			`"server_public_key":%s,"client_public_key":%s}`, id, state, filledAt, filledAt, h.publicJSON, h.publicJSON))
		private = append(private, `"`+id+`":"`+h.privateBase64+`"`)
	}
	plain := fmt.Appendf(nil, `{"asp_id":%q,"state":"active","created_at":%q,"credentials":[{"access_key":%q,"created_at":%q}],"keys":[%s]}`,
		id, filledAt, access, filledAt, strings.Join(list, ","))
	hidden := fmt.Appendf(nil, `{"secret_keys":{%q:"YSBzZWNyZXQ="},"private_keys":{%s}}`, access, strings.Join(private, ","))
	name := "project/" + id
	sealed := master.Seal(envelope.Place{Record: name, Field: "secrets", Version: 1}, plain, hidden)
	return keys.Change{Name: name, Value: fmt.Appendf(nil, `{"version":1,"plain":%s,"sealed":"%s"}`, plain, sealed)}
}

const filledAt = "2026-01-01T00:00:00Z"

func marshal(v any) []byte {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return out
}
