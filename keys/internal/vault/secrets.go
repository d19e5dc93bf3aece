package vault

import (
	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
)

// Secrets are the secrets of one project. They must not be wiped by a reader.
type Secrets struct {
	credentials map[keys.AccessKey]sensitive.Bytes
	private     map[keys.KeyID]sensitive.Bytes // the server's halves, PKCS#8; none for discarded keys
}

// Credential is the secret of an access key.
func (s Secrets) Credential(k keys.AccessKey) (sensitive.Bytes, bool) {
	b, ok := s.credentials[k]
	return b, ok
}

// Private is the server's private half of a key, in PKCS#8. A discarded key has
// none.
func (s Secrets) Private(id keys.KeyID) (sensitive.Bytes, bool) {
	b, ok := s.private[id]
	return b, ok
}

func noSecrets() Secrets {
	return Secrets{map[keys.AccessKey]sensitive.Bytes{}, map[keys.KeyID]sensitive.Bytes{}}
}

// opened takes over the bytes of secrets that were decoded.
func (s secrets) opened() Secrets {
	out := noSecrets()
	for k, b := range s.SecretKeys {
		if len(b) > 0 {
			out.credentials[k] = sensitive.New(b)
		}
	}
	for k, b := range s.PrivateKeys {
		if len(b) > 0 {
			out.private[k] = sensitive.New(b)
		}
	}
	return out
}

// exposed lends the project's secrets, to be encoded.
func (p Project) exposed() secrets {
	s := secrets{SecretKeys: map[keys.AccessKey][]byte{}, PrivateKeys: map[keys.KeyID][]byte{}}
	for _, c := range p.Credentials {
		s.SecretKeys[c.AccessKey] = p.credentials[c.AccessKey].Expose()
	}
	for _, k := range p.Keys {
		if private, ok := p.private[k.ID]; ok {
			s.PrivateKeys[k.ID] = private.Expose()
		}
	}
	return s
}
