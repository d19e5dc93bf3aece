package ring

import (
	"fmt"
	"sync"
	"time"

	"kmproxy/crypto/jwk"
	"kmproxy/keys"
)

// Key is a crypto key as requests see it. It is immutable and safe for
// concurrent use.
type Key struct {
	key     keys.Key // without its private half
	secrets *lazySecrets

	serverOnce sync.Once
	server     jwk.Private
	serverErr  error

	clientOnce sync.Once
	client     jwk.Public
	clientErr  error
}

// ID is the key's id as it was registered.
func (k *Key) ID() keys.KeyID { return k.key.ID }

// At is the key without its private half, as it is at a time: a planned end may
// have come since the Ring was built.
func (k *Key) At(now time.Time) keys.Key { return k.key.At(now) }

// Server is the private half that opens requests. It does not ask for the key's
// state. Errors: ErrNotFound for a discarded key, ErrDamaged, jwk.ErrPEM.
func (k *Key) Server() (jwk.Private, error) {
	k.serverOnce.Do(func() { k.server, k.serverErr = k.openServer() })
	return k.server, k.serverErr
}

// Client is the public half that answers are sealed to. Errors: jwk.ErrPEM,
// jwk.ErrKey.
func (k *Key) Client() (jwk.Public, error) {
	k.clientOnce.Do(func() { k.client, k.clientErr = k.key.Client() })
	return k.client, k.clientErr
}

func (k *Key) openServer() (jwk.Private, error) {
	s, err := k.secrets.get()
	if err != nil {
		return jwk.Private{}, err
	}
	der, ok := s.Private(k.key.ID)
	if !ok {
		return jwk.Private{}, fmt.Errorf("the private half of key %s, which is %s: %w", k.key.ID, k.key.State, keys.ErrNotFound)
	}
	rsaKey, err := jwk.ParsePrivateDER(der)
	if err != nil {
		return jwk.Private{}, fmt.Errorf("key %s: %w", k.key.ID, err)
	}
	return jwk.NewPrivate(rsaKey, k.key.Allowed)
}
