package trantoken_test

import (
	"fmt"
	"log"
	"time"

	"kmproxy/crypto/sensitive"
	"kmproxy/crypto/trantoken"
)

// A client makes a token over the body that it sends; a server parses and verifies it
// over the body that it received.
func Example() {
	secret := sensitive.New([]byte("a secret that both sides have"))
	body := []byte(`{"encData":"eyJhbGciOiJSU0EtT0FFUC0yNTYifQ"}`)
	sent := time.Date(2026, 11, 23, 13, 5, 6, 7_000_000, time.UTC)

	header := trantoken.Make(secret, body, sent)
	fmt.Println(header)

	token, err := trantoken.Parse(header) // the form alone
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.Verify(secret, body))
	fmt.Println(token.Verify(secret, append(body, ' ')))
	fmt.Println(token.At(time.UTC)) // not covered by the MAC: compare it with the clock, and remember token.MAC
	// Output:
	// KMV1:20261123130506007:eyTLe+j8nryTslKFkoPPCXzmN4Xqj5E35gQJCMalMDo=
	// true
	// false
	// 2026-11-23 13:05:06.007 +0000 UTC
}
