package proxy

import (
	"mime"
	"net/http"
	"strings"
	"time"

	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/proxy/kona"
	"kmproxy/proxy/replay"
)

// admitted is a request whose caller is known, whose body is the one he signed,
// whose times are right, and whose key, if it names one, is his and usable. Only
// admit makes one.
type admitted struct {
	request *http.Request
	route   *Route
	headers kona.Headers
	member  *keys.Member
	key     *keys.RingKey // nil: the request names none
	body    []byte        // as it was received
	held    *account
	claim   *replay.Claim // released if the request never reaches the upstream
	client  string        // the caller's IP address; empty: it is not known
}

// admit makes the checks in the order of their cost. Before the token is
// verified nothing about keys is answered and no private key is used.
func (p *Proxy) admit(w http.ResponseWriter, r *http.Request, n *note, held *account) (admitted, error) {
	if p.c.Stale != nil && p.c.Stale() {
		return admitted{}, kona.Refuse(kona.Overloaded, "the store could not be followed for too long")
	}
	if r.ContentLength > p.c.MaxBodyBytes {
		return admitted{}, kona.Refuse(kona.TooLarge, "the declared length")
	}
	if strings.Contains(r.URL.RawQuery, " ") { // HTTP/2 can say it; towards the upstream it would end the request line early
		return admitted{}, kona.RefuseNamed(kona.InvalidInput, "query", "it holds a blank")
	}
	route, refusal := p.routes.find(r)
	if refusal != nil {
		return admitted{}, refusal
	}
	n.route(route)
	headers, err := p.readHeaders(r)
	if err != nil {
		return admitted{}, err
	}
	who := p.identify(headers, shown(r))
	body, err := p.readBody(w, r, held)
	if err != nil {
		return admitted{}, err
	}
	n.received(len(body))
	if err := p.authenticate(who, headers, body); err != nil {
		return admitted{}, err
	}
	if err := held.verified(headers.ASPID); err != nil {
		return admitted{}, err
	}
	n.caller(headers.ASPID)
	if !headers.Within(p.c.Now(), p.c.ClockSkew) {
		return admitted{}, kona.Refuse(kona.OutsideWindow, "")
	}
	claim, err := p.claim(who.member, headers, body)
	if err != nil {
		return admitted{}, err
	}
	key, err := namedKey(who.member, headers.KeyID, p.c.Now())
	if err != nil {
		claim.Release()
		return admitted{}, err
	}
	n.namedKey(key)
	return admitted{request: r, route: route, headers: headers, member: who.member, key: key, body: body, held: held, claim: claim, client: n.client}, nil
}

// readHeaders checks the X-KM headers and that the body is JSON as it stands.
func (p *Proxy) readHeaders(r *http.Request) (kona.Headers, error) {
	headers, err := kona.ReadHeaders(r.Header, p.c.Zones)
	if err != nil {
		return headers, err
	}
	types := r.Header["Content-Type"]
	if len(types) != 1 {
		return headers, kona.Refuse(kona.UnsupportedMedia, "not one Content-Type")
	}
	if !isJSON(types[0]) {
		return headers, kona.Refuse(kona.UnsupportedMedia, "not application/json")
	}
	for _, coding := range r.Header["Content-Encoding"] {
		if !strings.EqualFold(coding, "identity") {
			return headers, kona.Refuse(kona.UnsupportedMedia, "a content coding")
		}
	}
	return headers, nil
}

// isJSON tells whether a Content-Type is JSON's, which may name a charset.
func isJSON(contentType string) bool {
	const want = "application/json"
	if contentType == want {
		return true
	}
	media, params, err := mime.ParseMediaType(contentType)
	delete(params, "charset")
	return err == nil && media == want && len(params) == 0
}

// identity is whose secret the token must be made with. For an access key that
// nobody has it is a decoy's, so that a stranger costs and sees what a wrong
// token does. So it is over a connection that may not speak for the project.
type identity struct {
	member *keys.Member // nil: a stranger
	secret sensitive.Bytes
	reason string // why he is a stranger
}

func (p *Proxy) stranger(reason string) identity {
	return identity{secret: p.decoy.secret, reason: reason}
}

func (p *Proxy) identify(h kona.Headers, client keys.Pin) identity {
	member, ok := p.c.Ring().ByAccessKey(h.AccessKey, p.c.Now())
	if !ok {
		return p.stranger("unknown access key")
	}
	if !member.Pin().Admits(client) {
		return p.stranger("the connection has not the client certificate that the project is pinned to")
	}
	secret, err := member.Secret(h.AccessKey)
	if err != nil || secret.Len() == 0 {
		p.c.Log.Error("a project's secret does not open", "asp_id", string(member.ASPID()), "error", err)
		return p.stranger("the project's secret does not open")
	}
	return identity{member: member, secret: secret}
}

// shown is whose client certificate the connection was made with. It is worked
// out for strangers too.
func shown(r *http.Request) keys.Pin {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return keys.Pin{}
	}
	return keys.NewPin(r.TLS.PeerCertificates[0].RawSubjectPublicKeyInfo)
}

// authenticate verifies the token over the body. A stranger, a wrong token, an
// access key of another service provider and a suspended project get one answer.
func (p *Proxy) authenticate(who identity, h kona.Headers, body []byte) error {
	genuine := p.verify(h.Token, who.secret, body)
	switch {
	case who.member == nil:
		return kona.Refuse(kona.Unauthorized, who.reason)
	case !genuine:
		return kona.Refuse(kona.Unauthorized, "the token is not this body's under the project's secret")
	case who.member.ASPID() != h.ASPID:
		return kona.Refuse(kona.Unauthorized, "the access key belongs to another ASP id")
	case who.member.Suspended():
		return kona.Refuse(kona.Unauthorized, "the project is suspended")
	}
	return nil
}

// claim remembers the request, unless it was processed before.
func (p *Proxy) claim(m *keys.Member, h kona.Headers, body []byte) (*replay.Claim, error) {
	if p.c.Replay == nil {
		return nil, nil
	}
	id := replay.Plain(h.Token.MAC(), h.TokenAt, h.CorrelationID)
	if kona.IsEncrypted(body) {
		id = replay.Encrypted(h.Token.MAC())
	}
	return p.c.Replay.Claim(m.ASPID(), id, p.c.ReplayWindow, p.c.Now())
}

// namedKey is the caller's own usable key of that id. Unknown, foreign, staged,
// suspended and discarded get one answer.
func namedKey(m *keys.Member, id keys.KeyID, now time.Time) (*keys.RingKey, error) {
	if id == "" {
		return nil, nil
	}
	key, ok := m.Key(id)
	if !ok {
		return nil, kona.Refuse(kona.InvalidKey, "the project has no key "+string(id))
	}
	if state := key.At(now).State; !state.Usable() {
		return nil, kona.Refuse(kona.InvalidKey, "key "+string(id)+" is "+state.String())
	}
	return key, nil
}
