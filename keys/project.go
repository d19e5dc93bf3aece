package keys

import (
	"slices"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/sensitive"
)

// Project is one service provider's registration: its credentials and all its
// crypto keys, in the order they were issued. It is a value: changing it changes
// no store. A Manager gives it out without its secrets.
type Project struct {
	ASPID       ASPID
	Name        string // for people; may be empty
	Suspended   bool
	ClientPin   Pin // whose connections alone may speak for it; zero: anybody's
	CreatedAt   time.Time
	Credentials []Credential
	Keys        []Key
	version     uint64 // of the record it was read from; 0: it has none yet
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
	Ends      Ends
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

// shown is the project without its secrets. It shares nothing with p that an act
// may still change.
func (p Project) shown() Project {
	p.version = 0
	p.Credentials, p.Keys = slices.Clone(p.Credentials), slices.Clone(p.Keys)
	for i := range p.Credentials {
		p.Credentials[i].secret = sensitive.Bytes{}
	}
	for i := range p.Keys {
		p.Keys[i].private = sensitive.Bytes{}
	}
	return p
}
