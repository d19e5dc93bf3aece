package config

import (
	"net/textproto"
	"strings"
)

// The reasons why a header of the caller's may never go on.
const (
	headerOurs = "is written by kmproxy itself, from what it verified"
	headerHop  = "speaks of one connection, and ends there"
	headerBody = "speaks of the body as the caller sent it, which is not the one that the upstream gets"
	headerPath = "asks for another method or path than the route that was checked"
)

// stopped are the headers that no route can let through, and why.
var stopped = map[string]string{
	"Host": headerOurs, "Forwarded": headerOurs, "X-Forwarded-For": headerOurs, "X-Forwarded-Host": headerOurs, "X-Forwarded-Proto": headerOurs,
	"Connection": headerHop, "Keep-Alive": headerHop, "Proxy-Authenticate": headerHop, "Proxy-Authorization": headerHop,
	"Proxy-Connection": headerHop, "Te": headerHop, "Trailer": headerHop, "Transfer-Encoding": headerHop, "Upgrade": headerHop,
	"Http2-Settings": headerHop, "Expect": headerHop, "Accept-Encoding": headerHop,
	"Content-Length": headerBody, "Content-Type": headerBody, "Content-Encoding": headerBody, "Content-Md5": headerBody,
	"Content-Digest": headerBody, "Repr-Digest": headerBody, "Digest": headerBody, "Content-Range": headerBody,
	"X-Http-Method": headerPath, "X-Http-Method-Override": headerPath, "X-Method-Override": headerPath,
	"X-Original-Method": headerPath, "X-Original-Url": headerPath, "X-Rewrite-Url": headerPath,
}

// checkForwarded takes the name of a header that goes on from a route. It is of
// letters, digits and hyphens: some servers read every other sign as a hyphen, so
// that the name could pass for another one.
func checkForwarded(name string) string {
	odd := func(c rune) bool { return !isLetterOrDigit(c) && c != '-' }
	switch canonical := textproto.CanonicalMIMEHeaderKey(name); {
	case name == "":
		return "is no header name"
	case strings.ContainsFunc(name, odd):
		return "a header name here holds letters, digits and hyphens only"
	case strings.HasPrefix(canonical, "X-Km-"):
		return headerOurs
	default:
		return stopped[canonical]
	}
}
