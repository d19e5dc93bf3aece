package proxy

import (
	"fmt"
	"net/http"
	"strconv"

	"kmproxy/keys"
	"kmproxy/proxy/kona"
)

// reply writes a finished answer. After an error it may not have been sent completely.
func (p *Proxy) reply(w http.ResponseWriter, s sealed, n *note) error {
	h := w.Header()
	for name, values := range s.header {
		h[name] = values
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(s.body)))
	kona.Set(h, kona.HeaderCorrelationID, s.correlationID)
	kona.Set(h, kona.HeaderKeyID, string(s.keyID))
	if s.used != nil {
		deprecate(h, s.used.At(p.c.Now()))
	}
	if len(h["Content-Type"]) == 0 {
		h["Content-Type"] = nil // or net/http would guess one from the body
	}
	if s.bodiless {
		h.Del("Content-Length")
		s.body = nil
	}
	return send(w, s.status, s.body, n, "", "")
}

// deprecate adds to an answer under a draining key since when the key is deprecated (RFC
// 9745 §2.1: a structured date) and when its use ends (RFC 8594 §3).
func deprecate(h http.Header, k keys.Key) {
	if k.State != keys.Draining {
		return
	}
	h.Set("Deprecation", fmt.Sprintf("@%d", k.Since.Unix()))
	if !k.Ends.Drain.IsZero() {
		h.Set("Sunset", k.Ends.Drain.UTC().Format(http.TimeFormat))
	}
}

// replyError writes a row of the error table, always plain. The
// connection of a client that went away is closed without an answer.
func (p *Proxy) replyError(w http.ResponseWriter, e *kona.Error, n *note) {
	if e.Failure == kona.ClientGone {
		n.answered(e.Status(), e.Code(), e.Reason, 0)
		panic(http.ErrAbortHandler)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	kona.Set(h, kona.HeaderCorrelationID, n.correlationID)
	switch e.Failure {
	case kona.Overloaded:
		h.Set("Retry-After", "1")
	case kona.NoMethod:
		h.Set("Allow", e.Allow)
	}
	body := e.Body()
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_ = send(w, e.Status(), body, n, e.Code(), e.Reason) // an error means that the client went away
}

// flush sends an error over HTTP/2 while its memory is still counted: net/http
// would do it after the handler has returned, and wait there for a peer that does
// not read.
func flush(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 2 {
		_ = http.NewResponseController(w).Flush() // the caller went away: there is nothing left to do
	}
}

// send writes status and body. What is noted is what went out: a panic before
// leaves the note empty.
func send(w http.ResponseWriter, status int, body []byte, n *note, code, reason string) error {
	w.WriteHeader(status)
	n.answered(status, code, reason, len(body))
	if len(body) == 0 {
		return nil
	}
	_, err := w.Write(body)
	return err
}
