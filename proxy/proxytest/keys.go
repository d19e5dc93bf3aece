package proxytest

import (
	"crypto/rsa"
	"fmt"
	"sync"
	"testing"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/envelope"
	"kmproxy/crypto/jwk"
	"kmproxy/keys"
	"kmproxy/keys/manage"
	"kmproxy/keys/memstore"
	"kmproxy/keys/ring"
	"kmproxy/proxy/caller"
)

// maxKeys is how many keys a project may have in tests: one in every state.
const maxKeys = 5

// keys makes a store with one project and one active key, and a ring that follows.
func (p *Proxy) keys(t testing.TB) {
	t.Helper()
	ctx := t.Context()
	p.Store, p.MasterKey = memstore.New(), envelope.NewKeyFile()
	master, err := envelope.FromKeyFile(p.MasterKey)
	must(t, err)
	p.Manager, err = manage.New(ctx, manage.Config{Store: p.Store, Master: master, MaxPerProject: maxKeys, Now: time.Now})
	must(t, err)
	p.Caller = &caller.Caller{Now: time.Now}
	p.AddProject(t, ASPID, p.Caller)
	p.AddKey(t, ASPID, p.Caller, 0)
	p.live, err = ring.Open(ctx, p.Store, master)
	must(t, err)
	go p.live.Follow(ctx, func(err error) { p.Log.add(fmt.Sprint("follow: ", err)) })
}

// AddProject registers a service provider and gives its credentials to c.
func (p *Proxy) AddProject(t testing.TB, id keys.ASPID, c *caller.Caller) {
	t.Helper()
	issued, err := p.Manager.CreateProject(t.Context(), p.Actor, manage.NewProject{ASPID: id})
	must(t, err)
	c.ASPID, c.AccessKey, c.Secret = id, issued.AccessKey, issued.Secret
}

// AddKey makes a crypto key for a project and gives it to c. It waits until a
// running proxy knows it.
func (p *Proxy) AddKey(t testing.TB, id keys.ASPID, c *caller.Caller, state keys.State) keys.KeyID {
	t.Helper()
	server, client := p.nextRSA(t), p.nextRSA(t)
	key, err := p.Manager.CreateKey(t.Context(), p.Actor,
		manage.NewKey{ID: keys.NewKeyID(), ASPID: id, Server: server, Client: &client.PublicKey, State: state})
	must(t, err)
	c.KeyID = key.ID
	c.Server, err = jwk.NewPublic(&server.PublicKey, alg.All())
	must(t, err)
	c.Client, err = jwk.NewPrivate(client, alg.All())
	must(t, err)
	p.Settle(t)
	return key.ID
}

// Settle waits until the running proxy shows what was committed so far.
func (p *Proxy) Settle(t testing.TB) {
	t.Helper()
	if p.live == nil {
		return
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if snap, err := p.Store.Load(t.Context()); err == nil && snap.Revision == p.live.Ring().Revision() {
			return
		}
	}
	t.Fatal("the proxy does not follow its store")
}

// pool has RSA-2048 keys that all proxies of a test binary share: making them is
// what costs most. Within one store each is used once.
var pool = func() (keys [16]func() *rsa.PrivateKey) {
	for i := range keys {
		keys[i] = sync.OnceValue(func() *rsa.PrivateKey {
			k, err := jwk.Generate(jwk.MinBits)
			if err != nil {
				panic("proxytest: " + err.Error())
			}
			return k
		})
	}
	return keys
}()

// nextRSA is a key that this proxy does not have yet.
func (p *Proxy) nextRSA(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	var k *rsa.PrivateKey
	if n := len(p.Private); n < len(pool) {
		k = pool[n]()
	} else {
		k = NewRSA(t)
	}
	p.Private = append(p.Private, k)
	return k
}

// NewRSA generates an RSA-2048 key.
func NewRSA(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	k, err := jwk.Generate(jwk.MinBits)
	must(t, err)
	return k
}
