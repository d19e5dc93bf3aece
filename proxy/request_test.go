package proxy_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"kmproxy/crypto/trantoken"
	"kmproxy/proxy/caller"
	"kmproxy/proxy/proxytest"
)

const (
	plaintext     = `{"userId":9999999999999999999}`
	correlationID = "261123040506-0123aBc" // the same in all: answers are compared byte by byte
	deadline      = 20 * time.Second       // for one exchange; only a hanging test gets there
)

type field struct{ name, value string }

// request is one as it is sent. It is made valid and then edited.
type request struct {
	method, target, proto string
	fields                []field
	body                  []byte
	behind                []byte // not nil: what follows the header, instead of Content-Length and body
	raw                   []byte // not nil: instead of everything
	signer                *caller.Caller
	at                    time.Time // the token's
}

// plainRequest is a good request with a plain body that names no key.
func plainRequest(w *world) *request {
	r := &request{method: http.MethodPost, target: proxytest.ARSPath, proto: "HTTP/1.1", body: []byte(plaintext),
		signer: w.Caller, at: time.Now()}
	h := http.Header{}
	w.Caller.Sign(h, r.body)
	r.fields = append(r.fields, field{"Host", strings.TrimPrefix(w.URL, "https://")})
	for _, name := range []string{"Content-Type", "Accept", "X-KM-User-AspId", "X-KM-Correlation-Id", "X-KM-Access-Key",
		"X-KM-Time-Zone", "X-KM-Tran-Time", "X-KM-Tran-Token"} {
		r.fields = append(r.fields, field{name, h[name][0]})
	}
	r.set("X-KM-Correlation-Id", correlationID)
	return r
}

// sealedRequest is a good request that is encrypted under the project's active key.
func sealedRequest(w *world) *request {
	r := plainRequest(w)
	r.fields = append(r.fields, field{"X-KM-Crypto-Key-Id", string(w.Caller.KeyID)})
	var err error
	if r.body, err = w.Caller.Encrypt([]byte(plaintext)); err != nil {
		panic(err)
	}
	r.retoken()
	return r
}

// retoken sets the token and the time for the current body.
func (r *request) retoken() {
	r.set("X-KM-Tran-Token", trantoken.Make(r.signer.Secret, r.body, r.at.UTC()))
	r.set("X-KM-Tran-Time", r.at.UTC().Format("20060102150405"))
}

func (r *request) find(name string) int {
	return slices.IndexFunc(r.fields, func(f field) bool { return f.name == name })
}

func (r *request) get(name string) string { return r.fields[r.find(name)].value }

func (r *request) set(name, value string) { r.fields[r.find(name)].value = value }

// bytes is the request in HTTP/1.1.
func (r *request) bytes() []byte {
	if r.raw != nil {
		return r.raw
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s %s\r\n", r.method, r.target, r.proto)
	for _, f := range r.fields {
		fmt.Fprintf(&b, "%s: %s\r\n", f.name, f.value)
	}
	if r.behind != nil {
		b.WriteString("\r\n")
		b.Write(r.behind)
		return b.Bytes()
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(r.body))
	b.Write(r.body)
	return b.Bytes()
}

// http2 is the same request for net/http's client, if HTTP/2 can say it.
func (r *request) http2(w *world) (*http.Request, bool) {
	if r.raw != nil || r.behind != nil || r.proto != "HTTP/1.1" || !strings.HasPrefix(r.target, "/") {
		return nil, false
	}
	host := strings.TrimPrefix(w.URL, "https://")
	out := &http.Request{Method: r.method, Header: http.Header{}, Host: host, Body: io.NopCloser(bytes.NewReader(r.body)),
		ContentLength: int64(len(r.body)), URL: &url.URL{Scheme: "https", Host: host, Opaque: "//" + host + r.target}}
	for _, f := range r.fields {
		switch strings.ToLower(f.name) {
		case "host":
			continue
		case "connection", "transfer-encoding", "content-length", "upgrade", "expect", "te", "trailer":
			return nil, false
		}
		if strings.ContainsAny(f.value, "\r\n\x00") {
			return nil, false
		}
		out.Header[f.name] = append(out.Header[f.name], f.value)
	}
	return out, true
}

// reply is an answer. raw is all that came, over HTTP/1.1 only.
type reply struct {
	status int
	header http.Header
	body   string
	raw    string
	closed bool // the connection was, with nothing behind the answer
}

// overHTTP1 sends bytes over a connection of their own and reads one answer.
func (w *world) overHTTP1(t *testing.T, request []byte) reply {
	t.Helper()
	conn := w.dial(t)
	defer func() { _ = conn.Close() }()        // it is of no further use
	go func() { _, _ = conn.Write(request) }() // refused early, it is not read to its end
	var raw bytes.Buffer
	return readReply(t, bufio.NewReader(io.TeeReader(conn, &raw)), &raw)
}

func (w *world) dial(t *testing.T) *tls.Conn {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(w.URL, "https://"), &tls.Config{RootCAs: w.CA, NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func readReply(t *testing.T, from *bufio.Reader, raw *bytes.Buffer) reply {
	t.Helper()
	answer, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatalf("no answer: %v, after %q", err, raw)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("half an answer: %v, after %q", err, raw)
	}
	r := reply{status: answer.StatusCode, header: answer.Header, body: string(body), raw: raw.String(), closed: answer.Close}
	if answer.Close {
		if rest, _ := io.ReadAll(from); len(rest) > 0 { // an error is the connection's end, too
			t.Errorf("behind the answer came %q", rest)
		}
	}
	return r
}

// overHTTP2 sends a request over HTTP/2.
func (w *world) overHTTP2(t *testing.T, request *http.Request) reply {
	t.Helper()
	answer, err := w.HTTP.Do(request.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }() // it was read to its end
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.ProtoMajor != 2 {
		t.Errorf("spoke %s", answer.Proto)
	}
	return reply{status: answer.StatusCode, header: answer.Header, body: string(body)}
}

func bufioReader(b []byte) *bufio.Reader { return bufio.NewReader(bytes.NewReader(b)) }
