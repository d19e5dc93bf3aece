package proxy

import (
	"errors"
	"net/http"

	"kmproxy/proxy/kona"
)

// readBody reads the whole body, at most MaxBodyBytes of it, as far as the budget
// goes.
func (p *Proxy) readBody(w http.ResponseWriter, r *http.Request, held *account) ([]byte, error) {
	body, err := held.readAll(http.MaxBytesReader(w, r.Body, p.c.MaxBodyBytes), r.ContentLength)
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, kona.Refuse(kona.TooLarge, "the body is longer than the limit")
	}
	if refused := knownRefusal(err); refused != nil {
		return nil, refused
	}
	if err != nil {
		if refused := held.wasGivenUp(); refused != nil {
			w.Header().Set("Connection", "close") // the rest of the body is not waited for
			return nil, refused
		}
	}
	switch {
	case err == nil:
		return body, nil
	case r.Context().Err() != nil:
		return nil, kona.Refuse(kona.ClientGone, "while sending the body")
	}
	return nil, kona.RefuseNamed(kona.InvalidInput, "body", "the body ended early or its framing is broken")
}
