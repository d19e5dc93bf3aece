package proxy

import "context"

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
