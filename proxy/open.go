package proxy

import (
	"cmp"
	"context"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwe"
	"kmproxy/crypto/jwk"
	"kmproxy/keys"
	"kmproxy/keys/ring"
	"kmproxy/proxy/cek"
	"kmproxy/proxy/kona"
)

// opened is a request whose body may go to the upstream, and how its answer goes
// back. Only open makes one.
type opened struct {
	admitted
	content payload
	answer  terms
}

// payload is a body that was opened, or that was found to be plain. The zero
// value is neither, and using it is a bug that panics.
type payload struct {
	bytes   []byte
	checked bool
}

func (p payload) expose() []byte {
	if !p.checked {
		panic("proxy: a body that was never opened")
	}
	return p.bytes
}

// terms are under which key and suite an answer is sealed. A nil key: it is not.
type terms struct {
	key   *ring.Key
	suite alg.Suite
}

// open decrypts an encrypted body and settles how the answer will be sealed, so
// that nothing is forwarded whose answer could not go back.
func (p *Proxy) open(ctx context.Context, a admitted, n *note) (opened, error) {
	encrypted := kona.IsEncrypted(a.body)
	n.encrypted(encrypted)
	if err := a.allows(encrypted); err != nil {
		return opened{}, err
	}
	o := opened{admitted: a, content: payload{a.body, true}}
	suite := alg.Preferred()
	if encrypted {
		var err error
		if o.content, suite, err = p.decrypt(ctx, a); err != nil {
			return opened{}, err
		}
	}
	var err error
	o.answer, err = a.terms(encrypted, suite)
	n.answerKey(o.answer.key)
	return o, err
}

// allows checks the body against what the route takes, and that an encrypted one
// names its key. Only an authenticated caller gets here.
func (a admitted) allows(encrypted bool) error {
	switch {
	case encrypted && a.route.Request == BodyPlain:
		return kona.RefuseNamed(kona.InvalidInput, kona.WrapperMember, "the route takes plain bodies only")
	case !encrypted && a.route.Request == BodyEncrypted:
		return kona.RefuseNamed(kona.InvalidInput, kona.WrapperMember, "the route takes encrypted bodies only")
	case !encrypted && kona.IsMiswrapped(a.body):
		return kona.RefuseNamed(kona.InvalidInput, kona.WrapperMember, "the body is a JWE that is not in the encData wrapper, or not in that alone")
	case encrypted && a.key == nil:
		return kona.RefuseNamed(kona.MissingValue, kona.Written(kona.HeaderKeyID), "the body is encrypted")
	}
	return nil
}

// message reads the wrapper and the JWE's header and parts, into memory that allocate
// returns. It also returns the JWE as it is in the body.
func message(body []byte, allocate func(n int) []byte) (m jwe.Message, token []byte, err error) {
	if token, err = kona.UnwrapUnchecked(body); err != nil {
		return jwe.Message{}, nil, kona.RefuseNamed(kona.InvalidInput, kona.WrapperMember, err.Error())
	}
	m, err = jwe.ParseInto(allocate(jwe.RoomFor(token)), token)
	if err != nil || m.Flawed() {
		if err := wellFormed(token); err != nil {
			return jwe.Message{}, nil, err
		}
	}
	if err != nil {
		return jwe.Message{}, nil, kona.Refuse(kona.DecryptionFailed, jwe.Reason(err))
	}
	return m, token, nil
}

// wellFormed refuses a token that is no compact JWE by its characters. One that was
// read without a flaw is one.
func wellFormed(token []byte) error {
	if !kona.IsCompact(token) {
		return kona.RefuseNamed(kona.InvalidInput, kona.WrapperMember, kona.ErrWrapper.Error())
	}
	return nil
}

// decrypt opens the wrapper and the JWE in it.
func (p *Proxy) decrypt(ctx context.Context, a admitted) (payload, alg.Suite, error) {
	message, token, err := message(a.body, a.held.allocate)
	if err != nil {
		return payload{}, alg.Suite{}, err
	}
	plain, err := p.plaintext(ctx, a, message)
	if err != nil && !message.Flawed() {
		err = cmp.Or(wellFormed(token), err) // it is, but finding that out takes as long as it did for a flawed one
	}
	if err != nil {
		return payload{}, alg.Suite{}, err
	}
	p.c.Used(a.member.ASPID(), a.key.ID(), keys.Request, message.Suite())
	return payload{plain.Bytes(), true}, message.Suite(), nil
}

// plaintext opens a message under a content key that is remembered, else with the
// private key.
func (p *Proxy) plaintext(ctx context.Context, a admitted, m jwe.Message) (jwe.Plaintext, error) {
	owner := cek.Owner{Project: a.member.ASPID(), Key: a.key.ID()}
	if p.c.ContentKeys != nil {
		if plain, known, err := p.c.ContentKeys.Open(owner, m, p.c.Now()); known {
			return opens(plain, err)
		}
	}
	server, err := a.key.Server()
	if err != nil {
		return jwe.Plaintext{}, kona.Refuse(kona.Internal, "the private half of key "+string(a.key.ID())+" is not usable")
	}
	var plain jwe.Plaintext
	var failed error
	if err := p.privately(ctx, owner.Project, func() { plain, failed = p.unwrap(server, m, owner) }); err != nil {
		return jwe.Plaintext{}, err
	}
	return opens(plain, failed)
}

// unwrap uses the private key, and remembers the content key if it should.
func (p *Proxy) unwrap(server jwk.Private, m jwe.Message, owner cek.Owner) (jwe.Plaintext, error) {
	if p.c.ContentKeys == nil {
		return jwe.Open(server, m)
	}
	plain, key, err := jwe.OpenKeeping(server, m)
	if err == nil {
		p.c.ContentKeys.Remember(owner, key, m, p.c.Now())
	}
	return plain, err
}

func opens(plain jwe.Plaintext, failed error) (jwe.Plaintext, error) {
	if failed != nil {
		return jwe.Plaintext{}, kona.Refuse(kona.DecryptionFailed, jwe.Reason(failed))
	}
	return plain, nil
}

// terms chooses the key of the answer: the one the request names, else the
// project's active key.
func (a admitted) terms(encrypted bool, suite alg.Suite) (terms, error) {
	if a.route.Response == BodyPlain || a.route.Response == BodyEither && !encrypted {
		return terms{}, nil
	}
	key := a.key
	if key == nil {
		var ok bool
		if key, ok = a.member.Active(); !ok {
			return terms{}, kona.Refuse(kona.InvalidKey, "the answer is to be encrypted and the project has no active key")
		}
	}
	client, err := key.Client()
	if err != nil || !client.Allows(suite) {
		return terms{}, kona.Refuse(kona.Internal, "the client's half of key "+string(key.ID())+" is not usable with "+suite.String())
	}
	return terms{key, suite}, nil
}
