package keys

import (
	"fmt"
	"sync"
	"time"

	"kmproxy/crypto/jwk"
)

// RingKey is a crypto key as requests see it. It is immutable and safe for
// concurrent use.
type RingKey struct {
	key     Key // without its private half
	secrets *lazySecrets

	serverOnce sync.Once
	server     jwk.Private
	serverErr  error

	clientOnce sync.Once
	client     jwk.Public
	clientErr  error
}

// ID is the key's id as it was registered.
func (k *RingKey) ID() KeyID { return k.key.ID }

// At is the key without its private half, as it is at a time: a planned end may
// have come since the Ring was built.
func (k *RingKey) At(now time.Time) Key { return k.key.At(now) }

// Server is the private half that opens requests. It does not ask for the key's
// state. Errors: ErrNotFound for a discarded key, ErrDamaged, jwk.ErrPEM.
func (k *RingKey) Server() (jwk.Private, error) {
	k.serverOnce.Do(func() { k.server, k.serverErr = k.openServer() })
	return k.server, k.serverErr
}

// Client is the public half that answers are sealed to. Errors: jwk.ErrPEM,
// jwk.ErrKey.
func (k *RingKey) Client() (jwk.Public, error) {
	k.clientOnce.Do(func() { k.client, k.clientErr = k.key.Client() })
	return k.client, k.clientErr
}

func (k *RingKey) openServer() (jwk.Private, error) {
	s, err := k.secrets.get()
	if err != nil {
		return jwk.Private{}, err
	}
	der, ok := s.private[k.key.ID]
	if !ok {
		return jwk.Private{}, fmt.Errorf("the private half of key %s, which is %s: %w", k.key.ID, k.key.State, ErrNotFound)
	}
	rsaKey, err := jwk.ParsePrivateDER(der)
	if err != nil {
		return jwk.Private{}, fmt.Errorf("key %s: %w", k.key.ID, err)
	}
	return jwk.NewPrivate(rsaKey, k.key.Allowed)
}

// Server is the public half that requests are encrypted to. Errors: jwk.ErrPEM,
// jwk.ErrKey.
func (k Key) Server() (jwk.Public, error) { return k.half("server", k.ServerPEM) }

// Client is the public half that answers are encrypted to. Errors: jwk.ErrPEM,
// jwk.ErrKey.
func (k Key) Client() (jwk.Public, error) { return k.half("client", k.ClientPEM) }

func (k Key) half(side, pem string) (jwk.Public, error) {
	pub, err := jwk.ParsePublicPEM([]byte(pem))
	if err != nil {
		return jwk.Public{}, fmt.Errorf("key %s, its %s half: %w", k.ID, side, err)
	}
	return jwk.NewPublic(pub, k.Allowed)
}

// serverPrivate is the private half of a key that was read with its secrets.
func (k Key) serverPrivate() (jwk.Private, error) {
	rsaKey, err := jwk.ParsePrivateDER(k.private)
	if err != nil {
		return jwk.Private{}, fmt.Errorf("key %s: %w", k.ID, err)
	}
	return jwk.NewPrivate(rsaKey, k.Allowed)
}
