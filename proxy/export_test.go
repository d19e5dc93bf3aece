package proxy

import (
	"context"

	"kmproxy/crypto/sensitive"
	"kmproxy/crypto/trantoken"
)

// FillPool takes every place for a private-key operation and keeps it: a request that
// still needs one gets "overloaded", and any other answer was made without the private
// key.
func (p *Proxy) FillPool() {
	ended, end := context.WithCancel(context.Background())
	end()
	for {
		if _, err := p.c.Queue.Enter(ended, "test"); err != nil {
			return
		}
	}
}

// ExposeUnopened uses a payload that no step has opened.
func ExposeUnopened() []byte { return payload{}.expose() }

// WatchVerify calls told for every token that is verified, with the lengths of the body
// and of the secret. It must be called before the first request.
func (p *Proxy) WatchVerify(told func(body, secret int)) {
	verify := p.verifyToken
	p.verifyToken = func(t trantoken.Token, secret sensitive.Bytes, body []byte) bool {
		told(len(body), secret.Len())
		return verify(t, secret, body)
	}
}
