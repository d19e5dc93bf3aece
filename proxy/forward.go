package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"time"

	"kmproxy/keys"
	"kmproxy/proxy/upstream"
)

// answer is what the upstream said, whole. Only forward makes one.
type answer struct {
	to     opened
	status int
	header http.Header
	body   []byte
}

// hop is the way of a request to the plaintext servers and of its answer back.
type hop struct {
	reverse *httputil.ReverseProxy
	timeout time.Duration
}

func newHop(c Config, to http.RoundTripper) hop {
	return hop{timeout: c.UpstreamTime, reverse: &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { rewrite(r, c) },
		Transport:      to,
		ModifyResponse: func(r *http.Response) error { return takeWhole(r, c.MaxAnswerBytes) },
		ErrorHandler:   func(_ http.ResponseWriter, r *http.Request, err error) { exchangeOf(r).failed(err) },
		ErrorLog:       log.New(io.Discard, "", 0), // it would quote what the upstream sent
	}}
}

// exchange carries one request through the ReverseProxy and its answer back.
type exchange struct {
	opened opened
	answer answer
	err    error
}

type exchangeKey struct{}

func exchangeOf(r *http.Request) *exchange { return r.Context().Value(exchangeKey{}).(*exchange) }

func (x *exchange) failed(err error) { x.err = err }

// forward sends the request to the upstream and takes its whole answer. A request
// that was not sent did not happen: the same bytes may come again.
func (p *Proxy) forward(o opened) (answer, error) {
	x := &exchange{opened: o}
	o.request.Header.Del("Upgrade") // no tunnels: without it ReverseProxy takes Connection: Upgrade for a hop's own
	ctx, cancel := context.WithTimeout(o.request.Context(), p.hop.timeout)
	defer cancel()
	p.hop.reverse.ServeHTTP(nowhere{}, o.request.WithContext(context.WithValue(ctx, exchangeKey{}, x)))
	if x.err != nil {
		if errors.Is(x.err, upstream.ErrUnsent) {
			o.claim.Release()
		}
		return answer{}, p.unanswered(o.request.Context(), x.err)
	}
	return x.answer, nil
}

// rewrite makes the upstream's request: the path without its base, the query as
// it came, the verified headers, the opened body.
func rewrite(r *httputil.ProxyRequest, c Config) {
	o, first := exchangeOf(r.In).opened, c.Upstreams[0]
	r.Out.URL = &url.URL{Scheme: first.Scheme, Host: first.Host, // the pool sets both to those of the server that it takes
		Path:     strings.TrimSuffix(first.Path, "/") + o.route.Path,
		RawPath:  strings.TrimSuffix(first.EscapedPath(), "/") + o.route.Path,
		RawQuery: r.In.URL.RawQuery}
	r.Out.Host = ""
	for _, name := range stopHere {
		delete(r.Out.Header, name)
	}
	r.SetXForwarded()
	var id keys.KeyID
	if o.key != nil {
		id = o.key.ID()
	}
	o.headers.Forward(r.Out.Header, id)
	content := o.content.expose()
	r.Out.Body, r.Out.ContentLength = upstream.NewBody(content), int64(len(content))
	r.Out.TransferEncoding, r.Out.Trailer, r.Out.GetBody = nil, nil, nil
}

// stopHere are headers that do not go on: they speak of this hop or of the body
// as it was sent, or they ask an upstream for another method or path than the
// route that was checked.
var stopHere = [...]string{
	"Expect", "Accept-Encoding", "Content-Encoding", "Te", "Http2-Settings",
	"X-Http-Method", "X-Http-Method-Override", "X-Method-Override", "X-Original-Method", "X-Original-Url", "X-Rewrite-Url",
}

// takeWhole reads the upstream's body to its end. A body that breaks off or goes
// on behind the limit is an error, never a shorter answer. So is a status that is
// no answer (RFC 9110 §15): the body of a 101 is the bare connection, and below
// 100 it could not be written.
func takeWhole(r *http.Response, most int64) error {
	if r.StatusCode < 200 || r.StatusCode > 599 {
		return errAnswerStatus
	}
	if slices.ContainsFunc(r.Header["Content-Encoding"], func(coding string) bool { return coding != "" }) {
		return errAnswerCoded
	}
	x := exchangeOf(r.Request)
	body, err := io.ReadAll(metered{io.LimitReader(r.Body, most+1), x.opened.held})
	if err != nil {
		return err
	}
	if int64(len(body)) > most {
		return errAnswerTooLarge
	}
	x.answer = answer{to: x.opened, status: r.StatusCode, header: r.Header.Clone(), body: body}
	return nil
}

var (
	errAnswerStatus   = errors.New("its answer has a status outside 200 to 599")
	errAnswerTooLarge = errors.New("its answer is larger than kmproxy takes")
	errAnswerCoded    = errors.New("its answer has a content coding that nobody asked for")
)

// unanswered maps an error of the exchange. Its text may quote what the upstream
// sent, so that only what is known to quote nothing is kept.
func (p *Proxy) unanswered(client context.Context, err error) *Error {
	var op *net.OpError
	var timeout net.Error
	var untrusted *tls.CertificateVerificationError
	if refused, ok := errors.AsType[*Error](err); ok {
		return refused
	}
	switch {
	case client.Err() != nil:
		return refuse(clientGone, "while waiting for the upstream")
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return refuse(upstreamTimedOut, "")
	case errors.Is(err, errAnswerStatus), errors.Is(err, errAnswerTooLarge), errors.Is(err, errAnswerCoded):
		return refuse(upstreamFailed, err.Error())
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return refuse(upstreamFailed, "its answer ended early")
	case errors.As(err, &untrusted):
		return refuse(upstreamFailed, untrusted.Error())
	case errors.As(err, &op):
		return refuse(upstreamFailed, op.Op+": "+op.Err.Error())
	}
	return refuse(upstreamFailed, "it closed the connection, or its answer is not understood")
}

// nowhere is the ResponseWriter that ReverseProxy writes to: the answer is taken
// before it gets here.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) WriteHeader(int)             {}
