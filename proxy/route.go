package proxy

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"kmproxy/proxy/kona"
)

// BodyMode is the form of the bodies in one direction of a route. The zero value is
// invalid.
type BodyMode uint8

// The modes.
const (
	BodyEither BodyMode = iota + 1 // a request may have either form, and its response has the same
	BodyEncrypted
	BodyPlain
)

func (m BodyMode) isValid() bool { return m >= BodyEither && m <= BodyPlain }

// Route is one API that is forwarded.
type Route struct {
	Method        string // of requests with a body, which is all that the token covers
	Path          string // compared byte for byte, without the base path
	Request       BodyMode
	Response      BodyMode
	PadBytes      int  // sealed plaintext is padded to a multiple of this; 0: not padded
	EncryptErrors bool // seal the upstream's non-2xx answers too

	// ForwardHeaders are more of the caller's headers that the upstream gets, in
	// any letter case. They must not be those that kmproxy writes itself, nor
	// speak of one connection or of the body as it was sent.
	ForwardHeaders []string
}

// routes finds the Route of a request.
type routes struct{ byPath map[string]map[string]*Route }

func newRoutes(base string, list []Route) (routes, error) {
	out := routes{byPath: make(map[string]map[string]*Route, len(list))}
	for _, r := range list {
		if !r.Request.isValid() || !r.Response.isValid() || r.PadBytes < 0 {
			return routes{}, fmt.Errorf("route %s %s: its modes or padding are not valid", r.Method, r.Path)
		}
		if !isVerbatim(base + r.Path) {
			return routes{}, fmt.Errorf("route %s %s: a path begins with / and holds nothing that is escaped in requests",
				r.Method, r.Path)
		}
		methods := out.byPath[base+r.Path]
		if methods == nil {
			methods = map[string]*Route{}
			out.byPath[base+r.Path] = methods
		}
		if methods[r.Method] != nil {
			return routes{}, fmt.Errorf("route %s %s is listed twice", r.Method, r.Path)
		}
		if slices.ContainsFunc(r.ForwardHeaders, isDisguised) {
			return routes{}, fmt.Errorf("route %s %s: a forwarded header is spelled with letters, digits and hyphens", r.Method, r.Path)
		}
		r.ForwardHeaders = canonicalNames(r.ForwardHeaders)
		methods[r.Method] = &r
	}
	return out, nil
}

// isVerbatim reports whether a path has only one spelling, so that routes can compare
// paths byte for byte.
func isVerbatim(path string) bool {
	u := url.URL{Path: path, RawPath: path}
	return strings.HasPrefix(path, "/") && u.EscapedPath() == path && !strings.Contains(path, "%")
}

// find compares the path as it was sent: no cleaning, no decoding, so that no
// second spelling reaches an upstream that cleans.
func (t routes) find(r *http.Request) (*Route, error) {
	methods := t.byPath[r.URL.EscapedPath()]
	if methods == nil {
		return nil, kona.Refuse(kona.NoRoute, "")
	}
	if route := methods[r.Method]; route != nil {
		return route, nil
	}
	e := kona.Refuse(kona.NoMethod, "")
	e.Allow = strings.Join(slices.Sorted(maps.Keys(methods)), ", ") // RFC 9110 §10.2.1: all of them
	return nil, e
}
