package upstream

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// errRequest reports a request that HTTP/1.1 cannot say. Not a byte of it is written.
var errRequest = errors.New("the request cannot be said in HTTP/1.1")

// put writes a request to the connection (RFC 9112 §3, §6.3).
func (l *link) put(r *http.Request) error {
	target := r.URL.RequestURI()
	if err := speakable(r, target); err != nil {
		return err
	}
	putHead(l.write, r, target)
	if r.ContentLength > 0 {
		if err := putBody(l.write, r); err != nil {
			return err
		}
	}
	return l.write.Flush()
}

func putBody(w *bufio.Writer, r *http.Request) error {
	if x, ok := r.Body.(*attempt); ok {
		_, err := w.Write(x.content)
		return err
	}
	_, err := io.CopyN(w, r.Body, r.ContentLength)
	return err
}

// speakable refuses what would be read as something else: a line or a header that
// ends early, a body that is longer or shorter than it says.
func speakable(r *http.Request, target string) error {
	if x, ok := r.Body.(*attempt); ok && r.ContentLength != int64(len(x.content)) || r.ContentLength < 0 || r.ContentLength > 0 && r.Body == nil {
		return fmt.Errorf("%w: the body has not the length that it says", errRequest)
	}
	if !httpguts.ValidHeaderFieldName(r.Method) || !isVisible(target) || !isVisible(host(r.URL)) { // a method is a token, too
		return fmt.Errorf("%w: its method, path, query or host", errRequest)
	}
	for name, values := range r.Header {
		if !httpguts.ValidHeaderFieldName(name) || !all(values, httpguts.ValidHeaderFieldValue) {
			return fmt.Errorf("%w: a header", errRequest)
		}
	}
	return nil
}

// host is the Host header: a socket has no name of its own.
func host(u *url.URL) string {
	if u.Scheme == unixScheme {
		return "localhost"
	}
	return u.Host
}

func isVisible(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c == 0x7f })
}

func all(values []string, good func(string) bool) bool {
	return !slices.ContainsFunc(values, func(v string) bool { return !good(v) })
}

// putHead writes the request line and the headers. What frames the message is
// said once, by us. Errors of w are kept by it until it is flushed.
func putHead(w *bufio.Writer, r *http.Request, target string) {
	line := func(parts ...string) {
		for _, part := range parts {
			_, _ = w.WriteString(part)
		}
	}
	line(r.Method, " ", target, " HTTP/1.1\r\nHost: ", host(r.URL), "\r\n")
	for name, values := range r.Header {
		if frames(name) {
			continue
		}
		for _, value := range values {
			line(name, ": ", strings.Trim(value, " \t"), "\r\n")
		}
	}
	if r.ContentLength > 0 || r.Method != http.MethodGet && r.Method != http.MethodHead {
		line("Content-Length: ", strconv.FormatInt(r.ContentLength, 10), "\r\n")
	}
	if r.Close {
		line("Connection: close\r\n")
	}
	line("\r\n")
}

// frames reports whether a header determines where the message ends, or its receiver.
func frames(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Connection", "Content-Length", "Host", "Trailer", "Transfer-Encoding":
		return true
	}
	return false
}
