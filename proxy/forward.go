package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"kmproxy/keys"
)

// answer is what the upstream said, whole. Only forward makes one.
type answer struct {
	to     opened
	status int
	header http.Header
	body   []byte
}

// upstream is the one plaintext server behind a Proxy. It sends each request
// once: the transport retries nothing of which a byte was written, because the
// body cannot be had a second time.
type upstream struct {
	reverse *httputil.ReverseProxy
	timeout time.Duration
}

func newUpstream(c Config) upstream {
	return upstream{timeout: c.UpstreamTime, reverse: &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { rewrite(r, c) },
		Transport:      c.Transport,
		ModifyResponse: func(r *http.Response) error { return takeWhole(r, c.MaxAnswerBytes) },
		ErrorHandler:   func(_ http.ResponseWriter, r *http.Request, err error) { exchangeOf(r).failed(err) },
		ErrorLog:       log.New(io.Discard, "", 0), // it would quote what the upstream sent
	}}
}

// exchange carries one request through the ReverseProxy and its answer back.
type exchange struct {
	opened  opened
	answer  answer
	err     error
	reached atomic.Bool // a connection was ready to take the request: some of it may have gone out
}

// trace notes when there is a connection to the upstream, which is told by
// whichever goroutine dialled.
func (x *exchange) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { x.reached.Store(true) }})
}

type exchangeKey struct{}

func exchangeOf(r *http.Request) *exchange { return r.Context().Value(exchangeKey{}).(*exchange) }

func (x *exchange) failed(err error) { x.err = err }

// forward sends the request to the upstream and takes its whole answer. A request
// that found no connection did not happen: the same bytes may come again.
func (p *Proxy) forward(o opened) (answer, error) {
	x := &exchange{opened: o}
	o.request.Header.Del("Upgrade") // no tunnels: without it ReverseProxy takes Connection: Upgrade for a hop's own
	ctx, cancel := context.WithTimeout(o.request.Context(), p.upstream.timeout)
	defer cancel()
	p.upstream.reverse.ServeHTTP(nowhere{}, o.request.WithContext(context.WithValue(x.trace(ctx), exchangeKey{}, x)))
	if x.err != nil {
		if !x.reached.Load() {
			o.claim.Release()
		}
		return answer{}, p.unanswered(o.request.Context(), x.err)
	}
	return x.answer, nil
}

// rewrite makes the upstream's request: the path without its base, the query as
// it came, the verified headers, the opened body.
func rewrite(r *httputil.ProxyRequest, c Config) {
	o := exchangeOf(r.In).opened
	r.Out.URL = &url.URL{Scheme: c.Upstream.Scheme, Host: c.Upstream.Host,
		Path:     strings.TrimSuffix(c.Upstream.Path, "/") + o.route.Path,
		RawPath:  strings.TrimSuffix(c.Upstream.EscapedPath(), "/") + o.route.Path,
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
	r.Out.Body, r.Out.ContentLength = once{bytes.NewReader(content)}, int64(len(content))
	r.Out.TransferEncoding, r.Out.Trailer, r.Out.GetBody = nil, nil, nil
}

// stopHere are headers that do not go on: they speak of this hop or of the body
// as it was sent, or they ask an upstream for another method or path than the
// route that was checked.
var stopHere = [...]string{
	"Expect", "Accept-Encoding", "Content-Encoding", "Te", "Http2-Settings",
	"X-Http-Method", "X-Http-Method-Override", "X-Method-Override", "X-Original-Method", "X-Original-Url", "X-Rewrite-Url",
}

// once is a body that can be read one time: net/http takes it for replayable in
// no case, not even when it is empty or an Idempotency-Key asks for it.
type once struct{ io.Reader }

func (once) Close() error { return nil }

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
