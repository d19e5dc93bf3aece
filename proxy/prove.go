package proxy

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwe"
	"kmproxy/crypto/jwk"
)

// Prove shows that a key works before requests depend on it: a canary sealed to
// its server half is opened by the very code that opens requests, and one is
// sealed to its client half by the very code that seals answers; in every suite
// that the key is allowed.
func Prove(server jwk.Private, client jwk.Public) error {
	for _, s := range alg.Suites() {
		if !server.Allows(s) {
			continue
		}
		if err := proveOpen(server, s); err != nil {
			return fmt.Errorf("opening with %s: %w", s, err)
		}
		if _, err := wrapped(client, s, []byte(rand.Text()), allocate); err != nil {
			return fmt.Errorf("sealing with %s: %w", s, err)
		}
	}
	return nil
}

func proveOpen(server jwk.Private, s alg.Suite) error {
	canary := []byte(rand.Text())
	body, err := wrapped(server.Public(), s, bytes.Clone(canary), allocate)
	if err != nil {
		return err
	}
	m, _, err := message(body, allocate)
	if err != nil {
		return err
	}
	plain, err := jwe.Open(server, m)
	if err != nil {
		return fmt.Errorf("%w: %s", err, jwe.Reason(err))
	}
	if !bytes.Equal(plain.Bytes(), canary) {
		return errors.New("something else came out")
	}
	return nil
}

// allocate returns new memory.
func allocate(n int) []byte { return make([]byte, n) }
