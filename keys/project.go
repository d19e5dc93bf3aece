package keys

import (
	"kmproxy/crypto/alg"
	"slices"
	"time"
)

// Project is one service provider's registration as it may be shown: its
// credentials and all its crypto keys, in the order they were issued, without any
// secret. It is a value: changing it changes no store.
type Project struct {
	ASPID       ASPID
	Name        string // for people; may be empty
	Suspended   bool
	ClientPin   Pin // the client certificate's key that requests must come with; zero: any
	CreatedAt   time.Time
	Credentials []Credential
	Keys        []Key
}

// Credential is an access key, which names a secret.
type Credential struct {
	AccessKey AccessKey
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
}

// Direction says what a key was used for, as it is written in ledgers. The zero value is
// invalid.
type Direction string

// The directions.
const (
	Request  Direction = "request"  // a request was opened with the server half
	Response Direction = "response" // an answer was sealed to the client half
)

// Use is how often, and when last, a project used a key in one direction with one
// pair of algorithms.
type Use struct {
	ASPID     ASPID     `json:"asp_id"`
	KeyID     KeyID     `json:"key_id"`
	Direction Direction `json:"direction"`
	Alg       alg.Name  `json:"alg"`
	Requests  uint64    `json:"requests"`
	LastUsed  time.Time `json:"last_used_at"`
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

// At is the project with its keys as they are at a time. It shares nothing with p
// that may change.
func (p Project) At(now time.Time) Project {
	p.Credentials, p.Keys = slices.Clone(p.Credentials), slices.Clone(p.Keys)
	for i := range p.Keys {
		p.Keys[i] = p.Keys[i].At(now)
	}
	return p
}
