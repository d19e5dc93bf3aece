package keys

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/envelope"
	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive"
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

// State is the key's state at the Ring's revision.
func (k *RingKey) State() State { return k.key.State }

// Since is when the key came into its state.
func (k *RingKey) Since() time.Time { return k.key.Since }

// Server is the private half that opens requests.
func (k *RingKey) Server() (jwk.Private, error) {
	k.serverOnce.Do(func() { k.server, k.serverErr = k.openServer() })
	return k.server, k.serverErr
}

// Client is the public half that answers are sealed to.
func (k *RingKey) Client() (jwk.Public, error) {
	k.clientOnce.Do(func() { k.client, k.clientErr = publicOf(k.key.ClientPEM, k.key.Allowed) })
	return k.client, k.clientErr
}

func (k *RingKey) openServer() (jwk.Private, error) {
	s, err := k.secrets.get()
	if err != nil {
		return jwk.Private{}, err
	}
	rsaKey, err := jwk.ParsePrivateDER(s.private[k.key.ID])
	if err != nil {
		return jwk.Private{}, fmt.Errorf("key %s: %w", k.key.ID, err)
	}
	return jwk.NewPrivate(rsaKey, k.key.Allowed)
}

// Server is the public half that requests are encrypted to.
func (k Key) Server() (jwk.Public, error) { return publicOf(k.ServerPEM, k.Allowed) }

// Client is the public half that answers are encrypted to.
func (k Key) Client() (jwk.Public, error) { return publicOf(k.ClientPEM, k.Allowed) }

func publicOf(pem string, allowed alg.Set) (jwk.Public, error) {
	pub, err := jwk.ParsePublicPEM([]byte(pem))
	if err != nil {
		return jwk.Public{}, err
	}
	return jwk.NewPublic(pub, allowed)
}

// lazySecrets opens a record's sealed part when a request first needs it, so
// that a hundred thousand keys do not lie open in memory because ten are used.
type lazySecrets struct {
	name   string
	record record
	master envelope.Key

	once sync.Once
	open openSecrets
	err  error
}

type openSecrets struct {
	credential map[AccessKey]sensitive.Bytes
	private    map[KeyID]sensitive.Bytes
}

func (l *lazySecrets) get() (openSecrets, error) {
	l.once.Do(func() { l.open, l.err = l.read() })
	return l.open, l.err
}

func (l *lazySecrets) read() (openSecrets, error) {
	hidden, err := l.record.open(l.master, l.name)
	if err != nil {
		return openSecrets{}, err
	}
	defer hidden.Wipe()
	var s secrets
	if err := json.Unmarshal(hidden.Expose(), &s); err != nil {
		return openSecrets{}, fmt.Errorf("record %s: %w: its secrets are not readable", l.name, ErrDamaged)
	}
	out := openSecrets{map[AccessKey]sensitive.Bytes{}, map[KeyID]sensitive.Bytes{}}
	for k, b := range s.SecretKeys {
		out.credential[k] = sensitive.New(b)
	}
	for k, b := range s.PrivateKeys {
		out.private[k] = sensitive.New(b)
	}
	return out, nil
}
