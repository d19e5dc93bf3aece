package proxy

import (
	"fmt"
	"net/http"
	"strconv"

	"kmproxy/keys"
	"kmproxy/proxy/auth"
)

// reply writes a finished answer.
func (p *Proxy) reply(w http.ResponseWriter, s sealed, n *note) {
	h := w.Header()
	for name, values := range s.header {
		h[name] = values
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(s.body)))
	h[auth.Written(auth.HeaderCorrelationID)] = []string{s.correlationID}
	if s.keyID != "" {
		h[auth.Written(auth.HeaderKeyID)] = []string{string(s.keyID)}
	}
	if s.used != nil && s.used.State() == keys.Draining {
		// RFC 9745 §2.1: a structured date, since when
		h.Set("Deprecation", fmt.Sprintf("@%d", s.used.Since().Unix()))
	}
	n.answered(s.status, "", "", len(s.body))
	if s.status == http.StatusNoContent || s.status == http.StatusNotModified {
		h.Del("Content-Length")
		w.WriteHeader(s.status)
		return
	}
	w.WriteHeader(s.status)
	_, _ = w.Write(s.body) // the client went away: nobody is left to tell
}

// replyError writes a row of the error table, always plain.
func (p *Proxy) replyError(w http.ResponseWriter, e *Error, n *note) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	if n.correlationID != "" {
		h[auth.Written(auth.HeaderCorrelationID)] = []string{n.correlationID}
	}
	switch e.kind {
	case overloaded:
		h.Set("Retry-After", "1")
	case noMethod:
		h.Set("Allow", e.allow)
	}
	body := e.body()
	h.Set("Content-Length", strconv.Itoa(len(body)))
	n.answered(e.Status(), e.Code(), e.reason, len(body))
	w.WriteHeader(e.Status())
	_, _ = w.Write(body) // the client went away: nobody is left to tell
}
