package jwe_test

import (
	"errors"
	"fmt"
	"log"
	"strings"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwe"
	"kmproxy/crypto/jwk"
)

// newPair makes an RSA pair and binds both halves to every algorithm of the table.
func newPair() (jwk.Private, jwk.Public, error) {
	k, err := jwk.Generate(jwk.MinBits)
	if err != nil {
		return jwk.Private{}, jwk.Public{}, err
	}
	private, err := jwk.NewPrivate(k, alg.All())
	if err != nil {
		return jwk.Private{}, jwk.Public{}, err
	}
	return private, private.Public(), nil
}

// Seal a message to a public key, and open it with the private one.
func Example() {
	private, public, err := newPair()
	if err != nil {
		log.Fatal(err)
	}
	token, err := jwe.Seal(nil, public, alg.Preferred(), []byte(`{"amount":1000}`))
	if err != nil {
		log.Fatal(err)
	}
	message, err := jwe.Parse(token) // nothing is decrypted yet
	if err != nil {
		log.Fatal(err)
	}
	plain, err := jwe.Open(private, message)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", plain.Bytes())
	fmt.Println(plain) // a Plaintext does not print its content
	// Output:
	// {"amount":1000}
	// [redacted]
}

// Every failure is ErrOpen. The caller of an API is told that and no more; the reason is
// for the log.
func ExampleReason() {
	_, public, err := newPair()
	if err != nil {
		log.Fatal(err)
	}
	other, _, err := newPair()
	if err != nil {
		log.Fatal(err)
	}
	token, err := jwe.Seal(nil, public, alg.Preferred(), []byte("content"))
	if err != nil {
		log.Fatal(err)
	}
	message, err := jwe.Parse(token)
	if err != nil {
		log.Fatal(err)
	}
	_, err = jwe.Open(other, message)
	fmt.Println(errors.Is(err, jwe.ErrOpen), err)
	reason, _, _ := strings.Cut(jwe.Reason(err), ":")
	fmt.Println(reason)
	// Output:
	// true the message cannot be opened
	// the content key does not unwrap
}

// A Sealer wraps its content key once, and saves the RSA operation for every message
// after the first.
func ExampleSealer() {
	private, public, err := newPair()
	if err != nil {
		log.Fatal(err)
	}
	sealer, err := jwe.NewSealer(public, alg.Preferred())
	if err != nil {
		log.Fatal(err)
	}
	for _, content := range []string{"first", "second"} {
		token, err := sealer.Seal(nil, []byte(content))
		if err != nil {
			log.Fatal(err)
		}
		message, err := jwe.Parse(token)
		if err != nil {
			log.Fatal(err)
		}
		plain, err := jwe.Open(private, message)
		fmt.Println(string(plain.Bytes()), err)
	}
	// Output:
	// first <nil>
	// second <nil>
}
