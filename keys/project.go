package keys

import (
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/sensitive"
)

// Project is one service provider's registration: its credentials and all its
// crypto keys, in the order they were issued. It is a value: changing it changes
// no store.
type Project struct {
	ASPID       ASPID
	Name        string // for people; may be empty
	Suspended   bool
	CreatedAt   time.Time
	Credentials []Credential
	Keys        []Key
}

// Credential is an access key and the secret it names.
type Credential struct {
	AccessKey AccessKey
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	secret    sensitive.Bytes
}

// Key is one crypto key: a server pair that requests are encrypted to and a
// client's public half that answers are encrypted to.
type Key struct {
	ID        KeyID
	ASPID     ASPID
	State     State
	CreatedAt time.Time
	Since     time.Time // when it came into its state
	Allowed   alg.Set
	ServerPEM string          // SPKI
	ClientPEM string          // SPKI
	private   sensitive.Bytes // the server's private half, PKCS#8; empty once discarded
}

// Active returns the project's active key.
func (p Project) Active() (Key, bool) {
	for _, k := range p.Keys {
		if k.State == Active {
			return k, true
		}
	}
	return Key{}, false
}

// Live counts the keys that are not discarded.
func (p Project) Live() int {
	n := 0
	for _, k := range p.Keys {
		if k.State != Discarded {
			n++
		}
	}
	return n
}
