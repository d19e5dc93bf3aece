package manage_test

import (
	"context"
	"crypto/rsa"
	"fmt"
	"log"
	"time"

	"kmproxy/crypto/envelope"
	"kmproxy/crypto/jwk"
	"kmproxy/keys"
	"kmproxy/keys/manage"
	"kmproxy/keys/memstore"
	"kmproxy/proxy"
)

// Register a service provider, give it a key, and replace that key without an
// interruption: the former key still opens requests for a day.
func Example() {
	ctx := context.Background()
	master, err := envelope.FromKeyFile(envelope.NewKeyFile())
	if err != nil {
		log.Fatal(err)
	}
	m, err := manage.New(ctx, manage.Config{Store: memstore.New(), Master: master, MaxPerProject: 4, Prove: proxy.Prove})
	if err != nil {
		log.Fatal(err)
	}
	operator := keys.Actor{Name: "operator"}

	issued, err := m.CreateProject(ctx, operator, manage.NewProject{ASPID: "000000000000001", Name: "Example Pay"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(issued.ASPID, issued.Secret) // the secret is shown once, by Expose

	first, err := m.CreateKey(ctx, operator, newKey(issued.ASPID))
	if err != nil {
		log.Fatal(err)
	}
	second, err := m.CreateKey(ctx, operator, newKey(issued.ASPID))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(first.State, second.State)

	tomorrow := time.Now().Add(24 * time.Hour)
	if _, err := m.PromoteKey(ctx, operator, second.ID, keys.Ends{Drain: tomorrow}); err != nil {
		log.Fatal(err)
	}
	all, err := m.Keys(ctx, issued.ASPID)
	if err != nil {
		log.Fatal(err)
	}
	for _, k := range all {
		fmt.Println(k.State)
	}

	entries, err := m.VerifyAudit(ctx) // each change has left an entry
	fmt.Println(entries, err)
	// Output:
	// 000000000000001 [redacted]
	// active staged
	// draining
	// active
	// 4 <nil>
}

// newKey is a pair of our own, and the public half of one that the provider made.
func newKey(of keys.ASPID) manage.NewKey {
	var pairs [2]*rsa.PrivateKey
	for i := range pairs {
		k, err := jwk.Generate(jwk.MinBits)
		if err != nil {
			log.Fatal(err)
		}
		pairs[i] = k
	}
	return manage.NewKey{ID: keys.NewKeyID(), ASPID: of, Server: pairs[0], Client: &pairs[1].PublicKey}
}
