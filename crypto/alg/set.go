package alg

import (
	"errors"
	"fmt"
)

// Suite is what one JWE names in its header: how the content key is wrapped and
// how the content is encrypted.
type Suite struct {
	Key Key
	Enc Enc
}

// Valid tells whether both halves are rows of the table.
func (s Suite) Valid() bool { return s.Key.Valid() && s.Enc.Valid() }

// String names both halves, as "RSA-OAEP-256+A256GCM".
func (s Suite) String() string { return s.Key.String() + "+" + s.Enc.String() }

// Name is how a Suite is written in records and reports, as "RSA-OAEP-256+A256GCM". A name
// that was read may be of a suite that this version does not have.
type Name string

// Name returns the suite's name.
func (s Suite) Name() Name { return Name(s.String()) }

// Suites are all pairs of the table.
func Suites() []Suite {
	var out []Suite
	for k := RSAOAEP; k.Valid(); k++ {
		for e := A128GCM; e.Valid(); e++ {
			out = append(out, Suite{k, e})
		}
	}
	return out
}

// Preferred is the suite of an answer that no request has chosen one for.
func Preferred() Suite { return Suite{RSAOAEP256, A256GCM} }

// Set is what a key's record allows. It belongs to the key, never to a message.
// The zero value allows nothing.
type Set struct{ keys, encs uint8 }

// All allows every row of the table.
func All() Set {
	return Set{keys: 1<<RSAOAEP | 1<<RSAOAEP256, encs: 1<<A128GCM | 1<<A256GCM}
}

// ParseSet reads a record's two lists of names. Neither may be empty or name
// one twice.
func ParseSet(keys, encs []string) (Set, error) {
	var s Set
	if len(keys) == 0 || len(encs) == 0 {
		return Set{}, errors.New("a key must allow at least one alg and one enc")
	}
	for _, name := range keys {
		k, err := ParseKey(name)
		if err != nil {
			return Set{}, err
		}
		if s.keys&(1<<k) != 0 {
			return Set{}, fmt.Errorf("alg %s is named twice", k)
		}
		s.keys |= 1 << k
	}
	for _, name := range encs {
		e, err := ParseEnc(name)
		if err != nil {
			return Set{}, err
		}
		if s.encs&(1<<e) != 0 {
			return Set{}, fmt.Errorf("enc %s is named twice", e)
		}
		s.encs |= 1 << e
	}
	return s, nil
}

// Allows tells whether both halves of a suite are in the set.
func (s Set) Allows(u Suite) bool {
	return u.Valid() && s.keys&(1<<u.Key) != 0 && s.encs&(1<<u.Enc) != 0
}

// Empty tells whether the set allows no suite at all.
func (s Set) Empty() bool { return s.keys == 0 || s.encs == 0 }

// Names returns the two lists that ParseSet reads, in the table's order.
func (s Set) Names() (keys, encs []string) {
	for k := RSAOAEP; k.Valid(); k++ {
		if s.keys&(1<<k) != 0 {
			keys = append(keys, k.String())
		}
	}
	for e := A128GCM; e.Valid(); e++ {
		if s.encs&(1<<e) != 0 {
			encs = append(encs, e.String())
		}
	}
	return keys, encs
}
