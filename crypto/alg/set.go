package alg

import (
	"errors"
	"fmt"
)

// Suite is the pair of algorithms that the header of a JWE names: one wraps the content
// key, the other encrypts the content.
type Suite struct {
	Key Key
	Enc Enc
}

// Valid reports whether both algorithms are in the table.
func (s Suite) Valid() bool { return s.Key.Valid() && s.Enc.Valid() }

// String returns both names, such as "RSA-OAEP-256+A256GCM".
func (s Suite) String() string { return s.Key.String() + "+" + s.Enc.String() }

// Name is the name of a Suite in records and reports, such as "RSA-OAEP-256+A256GCM".
// A name that was read may be of a suite that this version does not support.
type Name string

// Name returns the suite's name.
func (s Suite) Name() Name { return Name(s.String()) }

// Suites returns all pairs of the table.
func Suites() []Suite {
	var out []Suite
	for k := RSAOAEP; k.Valid(); k++ {
		for e := A128GCM; e.Valid(); e++ {
			out = append(out, Suite{k, e})
		}
	}
	return out
}

// Preferred returns the suite of an answer if no request has chosen one.
func Preferred() Suite { return Suite{RSAOAEP256, A256GCM} }

// Set is the algorithms that a key's record allows. It always comes from the key, never
// from a message. The zero value allows nothing.
type Set struct{ keys, encs uint8 }

// All returns the set that allows every algorithm of the table.
func All() Set {
	return Set{keys: 1<<RSAOAEP | 1<<RSAOAEP256, encs: 1<<A128GCM | 1<<A256GCM}
}

// ParseSet parses a record's two lists of names. A list must not be empty or name an
// algorithm twice.
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

// Allows reports whether both algorithms of a suite are in the set.
func (s Set) Allows(u Suite) bool {
	return u.Valid() && s.keys&(1<<u.Key) != 0 && s.encs&(1<<u.Enc) != 0
}

// Empty reports whether the set allows no suite.
func (s Set) Empty() bool { return s.keys == 0 || s.encs == 0 }

// Names returns the two lists that [ParseSet] reads, in the order of the table.
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
