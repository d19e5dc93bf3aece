package proxy

import (
	"net/http"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwe"
	"kmproxy/crypto/jwk"
	"kmproxy/keys"
	"kmproxy/keys/ring"
	"kmproxy/proxy/kona"
)

// sealed is an answer as it goes to the caller. Only seal makes one.
type sealed struct {
	status        int
	header        http.Header
	body          []byte
	bodiless      bool // no body, and no length of one
	correlationID string
	keyID         keys.KeyID // under which it is encrypted; empty: it is plain
	used          *ring.Key  // the key that the exchange used, if any
}

// seal encrypts the upstream's answer where the route and the request want it.
func (p *Proxy) seal(a answer) (sealed, error) {
	s := sealed{status: a.status, header: a.header, body: a.body, bodiless: a.bodiless(),
		correlationID: a.to.headers.CorrelationID, used: a.to.key}
	kona.Strip(s.header)
	if !a.wantsSeal() {
		return s, nil
	}
	t := a.to.answer
	client, err := t.key.Client()
	if err != nil {
		return sealed{}, kona.Refuse(kona.Internal, "the client's half of key "+string(t.key.ID())+" is not usable")
	}
	s.body, err = wrapped(client, t.suite, pad(a.body, a.to.route.PadBytes, a.to.held.allocate), a.to.held.allocate)
	if err != nil {
		return sealed{}, kona.Refuse(kona.Internal, "sealing the answer under key "+string(t.key.ID()))
	}
	a.to.held.keep(s.body)
	p.c.Used(a.to.member.ASPID(), t.key.ID(), keys.Response, t.suite)
	s.keyID, s.used = t.key.ID(), t.key
	for _, name := range plaintextHeaders {
		s.header.Del(name)
	}
	s.header.Set("Content-Type", "application/json")
	return s, nil
}

// wrapped seals a plaintext, which it overwrites, and puts it in the wrapper, in memory
// that allocate returns.
func wrapped(to jwk.Public, s alg.Suite, plaintext []byte, allocate func(n int) []byte) ([]byte, error) {
	dst := allocate(kona.WrapperBytes + jwe.RoomToSeal(to, s, len(plaintext)))
	return kona.Wrap(dst[:0], func(dst []byte) ([]byte, error) { return jwe.SealOver(dst, to, s, plaintext) })
}

// wantsSeal: an answer that is to be encrypted and has a body to encrypt; an
// upstream's error only where the route says so, for real clients read errors as
// plaintext.
func (a answer) wantsSeal() bool {
	success := a.status >= 200 && a.status < 300
	return a.to.answer.key != nil && !a.bodiless() && (success || a.to.route.EncryptErrors)
}

// bodiless reports whether no body can go with the answer (RFC 9110 §6.4.1, §15.3.6).
func (a answer) bodiless() bool {
	return a.to.request.Method == http.MethodHead || a.status == http.StatusNoContent || a.status == http.StatusResetContent || a.status == http.StatusNotModified
}

// plaintextHeaders are headers that describe the body before it was sealed. A digest or
// a validator would allow a reader to test guesses of the plaintext.
var plaintextHeaders = []string{"Content-Digest", "Repr-Digest", "Digest", "Content-Md5", "Etag", "Last-Modified",
	"Content-Language", "Content-Location", "Content-Disposition", "Accept-Ranges", "Content-Range", "Signature", "Signature-Input"}

// pad adds JSON blanks up to the next multiple of size, so that the length of an
// answer does not reveal its content. If body has too little capacity, it is copied to
// memory that allocate returns.
func pad(body []byte, size int, allocate func(n int) []byte) []byte {
	if size <= 1 || len(body)%size == 0 {
		return body
	}
	padded := len(body) + size - len(body)%size
	if padded > cap(body) {
		body = append(allocate(padded)[:0], body...)
	}
	for len(body) < padded {
		body = append(body, ' ')
	}
	return body
}
