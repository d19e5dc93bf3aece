package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"kmproxy/keys"
	"kmproxy/proxy/kona"
	"kmproxy/proxy/upstream"
)

// answer is what the upstream said, whole. Only forward makes one.
type answer struct {
	to     opened
	status int
	header http.Header
	body   []byte
}

// forward sends the request to the upstream and reads its whole answer. If the
// request was not sent, its claim is released when it ends.
func (p *Proxy) forward(o opened) (answer, error) {
	if p.c.Calls != nil {
		if !p.c.Calls.begin(o.member.ASPID()) {
			return answer{}, errTooManyCalls
		}
		defer p.c.Calls.end(o.member.ASPID())
	}
	ctx, cancel := context.WithTimeout(o.request.Context(), p.c.UpstreamTime)
	defer cancel()
	out := p.upstreamRequest(ctx, o)
	o.claim.Record()
	r, err := p.servers.RoundTrip(out)
	if err == nil {
		defer func() { _ = r.Body.Close() }() // the answer is whole, or the error says so
		var a answer
		if a, err = takeWhole(o, r, p.c.MaxAnswerBytes); err == nil {
			return a, nil
		}
	}
	if errors.Is(err, upstream.ErrUnsent) {
		o.claim.Unsent()
	}
	return answer{}, p.unanswered(o.request.Context(), err)
}

// upstreamRequest makes the request for the upstream: the path without its base, the
// query as it came, the verified headers, the opened body. Its scheme and host are the
// first server's; the pool replaces them.
func (p *Proxy) upstreamRequest(ctx context.Context, o opened) *http.Request {
	base := p.c.Upstreams[0]
	content := o.content.expose()
	out := &http.Request{
		Method: o.request.Method,
		URL: &url.URL{Scheme: base.Scheme, Host: base.Host,
			Path:     upstream.BasePath(base) + o.route.Path,
			RawPath:  upstream.BasePath(base) + o.route.Path,
			RawQuery: o.request.URL.RawQuery},
		Header:        forwardHeaders(o.request, o.route, o.client),
		Body:          upstream.NewBody(content),
		ContentLength: int64(len(content)),
	}
	var id keys.KeyID
	if o.key != nil {
		id = o.key.ID()
	}
	o.headers.Forward(out.Header, id)
	return out.WithContext(ctx)
}

// takeWhole reads the upstream's body to its end. A body that ends early or exceeds the
// limit is an error, never a shorter answer. So is a status that is not final (RFC 9110
// §15).
func takeWhole(to opened, r *http.Response, most int64) (answer, error) {
	if r.StatusCode < 200 || r.StatusCode > 599 {
		return answer{}, errAnswerStatus
	}
	if slices.ContainsFunc(r.Header["Content-Encoding"], isCoded) {
		return answer{}, errAnswerCoded
	}
	delete(r.Header, "Content-Encoding") // "identity" says nothing, and not of a sealed body
	body, err := to.held.readAll(io.LimitReader(r.Body, most+1), r.ContentLength)
	if err != nil {
		return answer{}, err
	}
	if int64(len(body)) > most {
		return answer{}, errAnswerTooLarge
	}
	removeHopHeaders(r.Header)
	to.held.keep(body) // the request has gone, and its bodies are not needed any more
	return answer{to: to, status: r.StatusCode, header: r.Header, body: body}, nil
}

// isCoded reports whether a Content-Encoding names a coding other than identity.
func isCoded(value string) bool {
	for coding := range strings.SplitSeq(value, ",") {
		if coding = strings.Trim(coding, " \t"); coding != "" && !strings.EqualFold(coding, "identity") {
			return true
		}
	}
	return false
}

var (
	errAnswerStatus   = errors.New("its answer has a status outside 200 to 599")
	errAnswerTooLarge = errors.New("its answer is larger than kmproxy takes")
	errAnswerCoded    = errors.New("its answer has a content coding, and none was asked for")
)

// unanswered maps an error of the exchange. Its text may quote what the upstream
// sent, so that only what is known to quote nothing is kept.
func (p *Proxy) unanswered(client context.Context, err error) *kona.Error {
	var op *net.OpError
	var timeout net.Error
	var untrusted *tls.CertificateVerificationError
	var fault upstream.Fault
	if refused := knownRefusal(err); refused != nil {
		return refused
	}
	switch {
	case client.Err() != nil:
		return kona.Refuse(kona.ClientGone, "while waiting for the upstream")
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return kona.Refuse(kona.UpstreamTimedOut, "")
	case errors.As(err, &fault):
		return kona.Refuse(kona.UpstreamFailed, fault.Error())
	case errors.Is(err, errAnswerStatus), errors.Is(err, errAnswerTooLarge), errors.Is(err, errAnswerCoded):
		return kona.Refuse(kona.UpstreamFailed, err.Error())
	case errors.Is(err, io.EOF):
		return kona.Refuse(kona.UpstreamFailed, "it closed the connection instead of answering")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return kona.Refuse(kona.UpstreamFailed, "its answer ended early")
	case errors.As(err, &untrusted):
		return kona.Refuse(kona.UpstreamFailed, untrusted.Error())
	case errors.As(err, &op):
		return kona.Refuse(kona.UpstreamFailed, op.Op+": "+op.Err.Error())
	}
	return kona.Refuse(kona.UpstreamFailed, "the exchange with it failed")
}
