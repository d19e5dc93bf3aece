package keys

import (
	"fmt"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwk"
)

// Key is one crypto key: a server pair that requests are encrypted to and a
// client's public half that answers are encrypted to. It holds no private half.
type Key struct {
	ID        KeyID
	ASPID     ASPID
	State     State
	CreatedAt time.Time
	Since     time.Time // when it came into its state
	Ends      Ends
	Allowed   alg.Set
	ServerPEM string // SPKI
	ClientPEM string // SPKI
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

// Move takes one step in the table of states. It forgets planned ends: a plan that
// was made for another state must not destroy anything. Its error is a *MoveError.
func (k *Key) Move(m Move, now time.Time) error {
	next, err := k.State.After(m)
	if err != nil {
		return fmt.Errorf("key %s: %w", k.ID, err)
	}
	k.State, k.Since, k.Ends = next, now, Ends{}
	return nil
}
