package keystest

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
	"kmproxy/keys/manage"
	"kmproxy/keys/memstore"
)

var (
	Operator = keys.Actor{Name: "operator"}
	Morning  = time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, time.FixedZone("KST", 9*60*60))
	Recorded = time.Date(2026, 1, 1, 18, 4, 5, 0, time.UTC) // Morning, as records have it
)

// Background is the context of acts that no test ends.
var Background = context.Background()

const (
	Alice keys.ASPID = "Alice0000000001"
	Bob   keys.ASPID = "Bob000000000001"
)

// RsaKeys are all the RSA keys of this package's tests: making one takes long.
var RsaKeys = sync.OnceValue(func() []*rsa.PrivateKey {
	made := make([]*rsa.PrivateKey, 6)
	var wg sync.WaitGroup
	for i := range made {
		wg.Go(func() { made[i] = Must(jwk.Generate(2048)) })
	}
	wg.Wait()
	return made
})

// ServerKey and ClientKey never give the same key.
func ServerKey(i int) *rsa.PrivateKey { return RsaKeys()[1+i] }
func ClientKey() *rsa.PublicKey       { return &RsaKeys()[0].PublicKey }

// MasterKey is a master key made from 32 times the same byte.
func MasterKey(b byte) envelope.Key {
	raw := make([]byte, 32)
	for i := range raw {
		raw[i] = b
	}
	text := "kmproxy-master-key-1 " + base64.StdEncoding.EncodeToString(raw)
	return Must(envelope.FromKeyFile(sensitive.New([]byte(text))))
}

// Office is a store and one manager on it.
type Office struct {
	*manage.Manager
	Store keys.Store
}

func NewOffice(t testing.TB) Office { return OfficeOn(t, memstore.New()) }

func OfficeOn(t testing.TB, s keys.Store) Office {
	t.Helper()
	return Office{Must(manage.New(t.Context(), Config(s))), s}
}

func Config(s keys.Store) manage.Config {
	return manage.Config{Store: s, Master: MasterKey(1), MaxPerProject: 2, Now: func() time.Time { return Morning }}
}

func (o Office) Load(t testing.TB) keys.Snapshot {
	t.Helper()
	snap, err := o.Store.Load(Background)
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// AddProject makes a project, and fails the test where it cannot.
func (o Office) AddProject(t testing.TB, id keys.ASPID) manage.Issued {
	t.Helper()
	issued, err := o.CreateProject(t.Context(), Operator, manage.NewProject{ASPID: id})
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

// AddKey makes the key with that number, and fails the test where it cannot.
func (o Office) AddKey(t testing.TB, to keys.ASPID, number int, s keys.State) keys.Key {
	t.Helper()
	key, err := o.CreateKey(t.Context(), Operator, NewKey(to, number, s))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func NewKey(to keys.ASPID, number int, s keys.State) manage.NewKey {
	return manage.NewKey{ID: KeyID(number), ASPID: to, Server: ServerKey(number), Client: ClientKey(), State: s}
}

func KeyID(number int) keys.KeyID { return keys.KeyID(fmt.Sprintf("abcdef%026x", number)) }

// Put writes an entry past every manager.
func Put(t testing.TB, s keys.Store, name string, value []byte) {
	t.Helper()
	snap, err := s.Load(t.Context())
	if err == nil {
		_, err = s.Commit(t.Context(), snap.Revision, keys.Change{Name: name, Value: value})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
