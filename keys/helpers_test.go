package keys_test

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"sync"
	"testing"
	"time"

	"kmproxy/crypto/envelope"
	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/keys/memstore"
)

var (
	operator = keys.Actor{Name: "operator"}
	morning  = time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, time.FixedZone("KST", 9*60*60))
	recorded = time.Date(2026, 1, 1, 18, 4, 5, 0, time.UTC) // morning, as records have it
)

// bg is the context of acts that no test ends.
var bg = context.Background()

const (
	alice keys.ASPID = "Alice0000000001"
	bob   keys.ASPID = "Bob000000000001"
)

// rsaKeys are all the RSA keys of this package's tests: making one takes long.
var rsaKeys = sync.OnceValue(func() []*rsa.PrivateKey {
	made := make([]*rsa.PrivateKey, 6)
	var wg sync.WaitGroup
	for i := range made {
		wg.Go(func() { made[i] = must(jwk.Generate(2048)) })
	}
	wg.Wait()
	return made
})

// serverKey and clientKey never give the same key.
func serverKey(i int) *rsa.PrivateKey { return rsaKeys()[1+i] }
func clientKey() *rsa.PublicKey       { return &rsaKeys()[0].PublicKey }

// masterKey is a master key made from 32 times the same byte.
func masterKey(b byte) envelope.Key {
	raw := make([]byte, 32)
	for i := range raw {
		raw[i] = b
	}
	text := "kmproxy-master-key-1 " + base64.StdEncoding.EncodeToString(raw)
	return must(envelope.FromKeyFile(sensitive.New([]byte(text))))
}

// office is a store and one manager on it.
type office struct {
	*keys.Manager
	store keys.Store
}

func newOffice(t testing.TB) office { return officeOn(t, memstore.New()) }

func officeOn(t testing.TB, s keys.Store) office {
	t.Helper()
	return office{must(keys.NewManager(t.Context(), config(s))), s}
}

func config(s keys.Store) keys.Config {
	return keys.Config{Store: s, Master: masterKey(1), MaxPerProject: 2, Now: func() time.Time { return morning }}
}

func (o office) load(t testing.TB) keys.Snapshot {
	t.Helper()
	snap, err := o.store.Load(bg)
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// addProject wants the project to be made.
func (o office) addProject(t testing.TB, id keys.ASPID) keys.Issued {
	t.Helper()
	issued, err := o.CreateProject(t.Context(), operator, keys.NewProject{ASPID: id})
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

// addKey wants the key with that number to be made.
func (o office) addKey(t testing.TB, to keys.ASPID, number int, s keys.State) keys.Key {
	t.Helper()
	key, err := o.CreateKey(t.Context(), operator, newKey(to, number, s))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newKey(to keys.ASPID, number int, s keys.State) keys.NewKey {
	return keys.NewKey{ID: keyID(number), ASPID: to, Server: serverKey(number), Client: clientKey(), State: s}
}

func keyID(number int) keys.KeyID { return keys.KeyID(fmt.Sprintf("abcdef%026x", number)) }

// put writes an entry past every manager.
func put(t testing.TB, s keys.Store, name string, value []byte) {
	t.Helper()
	snap, err := s.Load(t.Context())
	if err == nil {
		_, err = s.Commit(t.Context(), snap.Revision, keys.Change{Name: name, Value: value})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
