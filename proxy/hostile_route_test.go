package proxy_test

import (
	"strings"
	"testing"

	"kmproxy/proxy/proxytest"
)

// routeRows look for another way to an API, or for another API.
func routeRows() []row {
	const path = proxytest.ARSPath
	rows := []row{
		{name: "good", base: plainRequest, want: passes},
		{name: "good, with a query", base: plainRequest, flaws: []flaw{target(path + "?a=1&a=2;b#c%zz")}, want: passes},
		{name: "good, with an empty query", base: plainRequest, flaws: []flaw{target(path + "?")}, want: passes},
		{name: "good, other headers that name a route", base: plainRequest, flaws: []flaw{add("X-Original-URL", "/admin"), add("X-HTTP-Method-Override", "DELETE")}, want: passes},
	}
	for name, to := range map[string]string{
		"root": "/", "upper case": strings.ToUpper(path), "slash behind": path + "/", "two slashes in front": "/" + path,
		"two slashes inside":  strings.Replace(path, "/v1/", "/v1//", 1),
		"a dot segment":       strings.Replace(path, "/v1/", "/v1/./", 1),
		"two dots":            strings.Replace(path, "/v1/", "/v1/x/../", 1),
		"two dots, escaped":   strings.Replace(path, "/v1/", "/v1/x/%2e%2e/", 1),
		"two dots, half":      strings.Replace(path, "/v1/", "/v1/x/.%2E/", 1),
		"above the root":      "/.." + path,
		"a letter, escaped":   strings.Replace(path, "/api", "/%61pi", 1),
		"a slash, escaped":    strings.Replace(path, "/api/", "/api%2F", 1),
		"escaped twice":       strings.Replace(path, "/api/", "/api%252F", 1),
		"a backslash":         strings.Replace(path, "/v1/", `\v1/`, 1),
		"a parameter":         path + ";a=b",
		"a zero, escaped":     path + "%00",
		"a line, escaped":     path + "%0d%0aX-KM-Access-Key:%20a",
		"a blank, escaped":    path + "%20",
		"a fragment":          path + "#a",
		"a question, escaped": path + "%3Fa=b",
		"a suffix":            path + "x",
		"a prefix":            strings.TrimSuffix(path, "h"),
		"a suffix of a file":  path + ".json",
		"overlong UTF-8":      strings.Replace(path, "/v1/", "%c0%afv1/", 1),
		"full width":          strings.Replace(path, "v1", "%EF%BD%961", 1),
		"the admin's":         "/metrics",
	} {
		rows = append(rows, row{name: name, base: plainRequest, flaws: []flaw{target(to)}, want: noRoute})
	}
	for name, c := range map[string]struct {
		target string
		want   want
	}{
		"a star":                  {"*", noRoute},
		"no slash":                {"api", byServer(400)},
		"empty, with a host":      {"https://elsewhere.example", noRoute},
		"another host's path":     {"https://elsewhere.example/x", noRoute},
		"an opaque one":           {"https:" + path[1:], noRoute},
		"a broken escape":         {path + "%zz", byServer(400)},
		"a raw high byte":         {path + "\xff", noRoute},
		"a raw control character": {path + "\x01", byServer(400)},
	} {
		rows = append(rows, row{name: name, base: plainRequest, http1: true, flaws: []flaw{target(c.target)}, want: c.want})
	}
	for _, name := range []string{"GET", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "post", "Post", "POSTX", "PROPFIND", "M-SEARCH"} { // HEAD: TestHead
		rows = append(rows, row{name: "method " + name, base: plainRequest, flaws: []flaw{method(name)}, want: noMethod})
	}
	return append(rows,
		row{name: "method CONNECT", base: plainRequest, flaws: []flaw{method("CONNECT"), target("elsewhere.example:443")}, want: noRoute},
		row{name: "method of signs", http1: true, base: plainRequest, flaws: []flaw{method("PO(ST")}, want: byServer(400)},
		row{name: "everything at once", base: plainRequest, flaws: []flaw{method("OPTIONS"), target("*")}, want: noRoute})
}

// TestBlankInQuery: HTTP/2 carries a target that HTTP/1.1 cannot, and towards the
// upstream it would end the request line early.
func TestBlankInQuery(t *testing.T) {
	w := newWorld(t)
	for _, query := range []string{"?a b", "? HTTP/1.1", "?a=1 "} {
		for _, base := range []func(*world) *request{plainRequest, sealedRequest} {
			w.try(t, row{base: base, flaws: []flaw{target(proxytest.ARSPath + query)}, want: invalid("query")},
				func(q *request) reply { return w.overHTTP2(t, first(q.http2(w))) })
		}
	}
}
