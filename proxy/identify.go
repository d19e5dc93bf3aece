package proxy

import (
	"crypto/rand"
	"net/http"

	"kmproxy/crypto/sensitive"
	"kmproxy/crypto/trantoken"
	"kmproxy/keys"
	"kmproxy/keys/ring"
	"kmproxy/proxy/kona"
)

// tokenVerifier reports whether a token was made over a body with a secret. It is
// called once for every caller, known or not.
type tokenVerifier func(trantoken.Token, sensitive.Bytes, []byte) bool

// identity is the project that a request claims to be of, and the secret that its
// token must be made with. An unknown caller gets a random secret, so that its
// request costs as much, and is answered in the same way, as one with a wrong token.
// So does a caller whose connection may not speak for the project.
type identity struct {
	member *ring.Member // nil: the caller is unknown
	secret sensitive.Bytes
	reason string // why the caller is unknown
}

// newDecoy makes the secret of unknown callers.
func newDecoy() sensitive.Bytes { return sensitive.New([]byte(rand.Text() + rand.Text())) }

func (p *Proxy) unknown(reason string) identity { return identity{secret: p.decoy, reason: reason} }

func (p *Proxy) identify(h kona.Headers, client keys.Pin) identity {
	member, ok := p.c.Ring().ByAccessKey(h.AccessKey, p.c.Now())
	if !ok {
		return p.unknown("unknown access key")
	}
	if !member.Pin().Admits(client) {
		return p.unknown("the connection has not the client certificate that the project is pinned to")
	}
	secret, err := member.Secret(h.AccessKey)
	if err != nil || secret.Len() == 0 {
		p.c.Log.Error("a project's secret does not open", "asp_id", string(member.ASPID()), "error", err)
		return p.unknown("the project's secret does not open")
	}
	return identity{member: member, secret: secret}
}

// clientPin returns the pin of the connection's client certificate, or the zero Pin.
// It is called for unknown callers too, so that they take as long.
func clientPin(r *http.Request) keys.Pin {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return keys.Pin{}
	}
	return keys.NewPin(r.TLS.PeerCertificates[0].RawSubjectPublicKeyInfo)
}

// checkToken verifies the token over the body. An unknown caller, a wrong token, an
// access key of another service provider and a suspended project get one answer.
func (p *Proxy) checkToken(caller identity, h kona.Headers, body []byte) error {
	genuine := p.verifyToken(h.Token, caller.secret, body)
	switch {
	case caller.member == nil:
		return kona.Refuse(kona.Unauthorized, caller.reason)
	case !genuine:
		return kona.Refuse(kona.Unauthorized, "the token is not this body's under the project's secret")
	case caller.member.ASPID() != h.ASPID:
		return kona.Refuse(kona.Unauthorized, "the access key belongs to another ASP id")
	case caller.member.Suspended():
		return kona.Refuse(kona.Unauthorized, "the project is suspended")
	}
	return nil
}
