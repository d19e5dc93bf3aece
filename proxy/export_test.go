package proxy

import (
	"context"

	"kmproxy/crypto/sensitive"
	"kmproxy/crypto/trantoken"
)

// FillPool takes every place for a private-key operation and keeps it: whoever
// still needs one gets "overloaded", and an answer that is any other was made
// without the private key.
func (p *Proxy) FillPool() {
	ended, end := context.WithCancel(context.Background())
	end()
	for {
		if _, err := p.c.Queue.Enter(ended, "nobody"); err != nil {
			return
		}
	}
}

// ExposeUnopened uses a payload that no step has opened.
func ExposeUnopened() []byte { return payload{}.expose() }

// WatchVerify tells of every token that is verified: over how many bytes, and under a
// secret of how many. It must be called before requests come.
func (p *Proxy) WatchVerify(told func(body, secret int)) {
	verify := p.verifyToken
	p.verifyToken = func(t trantoken.Token, secret sensitive.Bytes, body []byte) bool {
		told(len(body), secret.Len())
		return verify(t, secret, body)
	}
}
