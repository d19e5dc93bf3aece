package proxy

import (
	"mime"
	"net/http"
	"strings"
	"time"

	"kmproxy/keys"
	"kmproxy/keys/ring"
	"kmproxy/proxy/kona"
	"kmproxy/proxy/origin"
	"kmproxy/proxy/replay"
)

// signed is a request whose caller is known, whose body is the one that the token was
// made over, and whose times are right. Only verify makes one.
type signed struct {
	request *http.Request
	route   *Route
	headers kona.Headers
	member  *ring.Member
	body    []byte // as it was received
	held    *account
	client  string // the caller's IP address; empty: it is not known
}

// admitted is a signed request that was not processed before, and whose key, if it
// names one, is the caller's own and usable. Only admit makes one.
type admitted struct {
	signed
	claim *replay.Claim // nil: there is no replay memory
	key   *ring.Key     // nil: the request names none
}

// verify makes the checks up to the request's times in the order of their cost.
// Before the token is verified nothing about keys is answered and no private key is
// used.
func (p *Proxy) verify(w http.ResponseWriter, r *http.Request, n *note, held *account) (signed, error) {
	if err := p.checkRequest(r); err != nil {
		return signed{}, err
	}
	route, err := p.routes.find(r)
	if err != nil {
		return signed{}, err
	}
	n.route(route)
	headers, err := p.readHeaders(r)
	if err != nil {
		return signed{}, err
	}
	caller := p.identify(headers, clientPin(r))
	body, err := p.readBody(w, r, held)
	if err != nil {
		return signed{}, err
	}
	n.received(len(body))
	if err := p.checkToken(caller, headers, body); err != nil {
		return signed{}, err
	}
	if err := held.verified(headers.ASPID); err != nil {
		return signed{}, err
	}
	n.caller(headers.ASPID)
	origin.Verified(r.Context())
	if !headers.Within(p.c.Now(), p.c.ClockSkew) {
		return signed{}, kona.Refuse(kona.OutsideWindow, "")
	}
	return signed{request: r, route: route, headers: headers, member: caller.member, body: body, held: held, client: n.client}, nil
}

// admit checks the key that the request names, and that there is room for its call
// before a private key is used.
func (p *Proxy) admit(s signed, claim *replay.Claim, n *note) (admitted, error) {
	key, err := namedKey(s.member, s.headers.KeyID, p.c.Now())
	if err != nil {
		return admitted{}, err
	}
	n.namedKey(key)
	if p.c.Calls != nil && !p.c.Calls.hasRoom(s.member.ASPID()) {
		return admitted{}, errTooManyCalls
	}
	return admitted{signed: s, claim: claim, key: key}, nil
}

// checkRequest checks what needs neither the route nor the headers.
func (p *Proxy) checkRequest(r *http.Request) error {
	switch {
	case p.c.Stale != nil && p.c.Stale():
		return kona.Refuse(kona.Overloaded, "the store could not be followed for too long")
	case r.ContentLength > p.c.MaxBodyBytes:
		return kona.Refuse(kona.TooLarge, "the declared length")
	case strings.Contains(r.URL.RawQuery, " "): // possible over HTTP/2; in HTTP/1.1 it would end the upstream's request line early
		return kona.RefuseNamed(kona.InvalidInput, "query", "it holds a blank")
	}
	return nil
}

// readHeaders checks the X-KM headers and that the body is uncompressed JSON.
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

// isJSON reports whether a Content-Type is application/json, with or without a
// charset.
func isJSON(contentType string) bool {
	const want = "application/json"
	if contentType == want {
		return true
	}
	media, params, err := mime.ParseMediaType(contentType)
	delete(params, "charset")
	return err == nil && media == want && len(params) == 0
}

// claim remembers the request, unless it was processed before. Without a replay
// memory it returns nil.
func (p *Proxy) claim(s signed) (*replay.Claim, error) {
	if p.c.Replay == nil {
		return nil, nil
	}
	return p.c.Replay.Claim(s.member.ASPID(), replay.ID(s.headers.RequestID(s.body)), p.c.ReplayWindow, p.c.Now())
}

// namedKey returns the caller's own usable key of that id, and nil if the id is
// empty. The answer is the same for every key that is not usable.
func namedKey(m *ring.Member, id keys.KeyID, now time.Time) (*ring.Key, error) {
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
