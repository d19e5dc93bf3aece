package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// checkAddress takes what a listener can listen on: HOST:PORT, where the host
// may be missing.
func checkAddress(s string) string {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Sprintf("%q is no HOST:PORT", s)
	}
	if !isPort(port) {
		return fmt.Sprintf("%q is no port: it is a number up to 65535", port)
	}
	if host != "" {
		return checkHost(host)
	}
	return ""
}

func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// checkHost takes IP addresses and names of letters, digits, hyphens and
// underscores: container networks have those.
func checkHost(s string) string {
	if _, err := netip.ParseAddr(s); err == nil {
		return ""
	}
	odd := func(c rune) bool { return !isLetterOrDigit(c) && c != '-' && c != '_' }
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || len(s) > 253 || strings.ContainsFunc(label, odd) {
			return fmt.Sprintf("%q is neither a host name nor an IP address", s)
		}
	}
	return ""
}

// conflict tells whether two listeners would claim the same port.
func conflict(a, b string) bool {
	hostA, portA, _ := net.SplitHostPort(a)
	hostB, portB, _ := net.SplitHostPort(b)
	numA, _ := strconv.ParseUint(portA, 10, 16)
	numB, _ := strconv.ParseUint(portB, 10, 16)
	return numA == numB && numA != 0 && (hostA == hostB || anyHost(hostA) || anyHost(hostB))
}

func anyHost(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}

// upstreamURL is the URL of a service, sockets from the folder dir on. Its faults do
// not repeat it: it may hold a password by mistake.
func upstreamURL(dir string) kind[*url.URL] {
	return kind[*url.URL]{
		read: func(v any) (*url.URL, []fault) {
			s, ok := v.(string)
			if !ok {
				return nil, mistyped("a URL", v)
			}
			if socket, ok := strings.CutPrefix(s, "unix:"); ok {
				return socketURL(dir, socket)
			}
			u, err := parseURL(s)
			if err != nil {
				return nil, faulty(err.Error())
			}
			return u, nil
		},
		show: func(u *url.URL) any { return showURL(u) },
	}
}

// longestSocket is how long the path of a socket can be (sun_path in unix(7)).
const longestSocket = 107

// socketURL is a server behind a unix socket.
func socketURL(dir, path string) (*url.URL, []fault) {
	if path == "" {
		return nil, faulty("names no socket")
	}
	if wrong := checkFile(path); wrong != "" {
		return nil, faulty(wrong)
	}
	if path = within(dir, path); len(path) > longestSocket {
		return nil, faulty(fmt.Sprintf("has a path of %d bytes: a socket's has at most %d", len(path), longestSocket))
	}
	return &url.URL{Scheme: "unix", OmitHost: true, Path: path}, nil
}

// showURL is a URL as the file writes it.
func showURL(u *url.URL) string {
	if u.Scheme == "unix" {
		return "unix:" + u.Path
	}
	return u.String()
}

// checkServerName takes a host name, or nothing.
func checkServerName(s string) string {
	if s == "" {
		return ""
	}
	return checkHost(s)
}

// upstreamURLs are several servers of one service.
func upstreamURLs(dir string) kind[[]*url.URL] {
	one, texts := upstreamURL(dir), list(func(string) string { return "" })
	return kind[[]*url.URL]{
		read: func(v any) ([]*url.URL, []fault) {
			list, faults := texts.read(v)
			urls := []*url.URL(nil)
			for i, s := range list {
				u, wrong := one.read(s)
				for _, f := range wrong {
					faults = append(faults, fault{fmt.Sprintf("[%d]", i), f.text, f.hint})
				}
				urls = append(urls, u)
			}
			return urls, faults
		},
		show: func(urls []*url.URL) any {
			texts := []string{}
			for _, u := range urls {
				texts = append(texts, showURL(u))
			}
			return texts
		},
	}
}

// checkHealthPath takes a path, or nothing.
func checkHealthPath(s string) string {
	if s == "" {
		return ""
	}
	return checkRoutePath(s)
}

func parseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, errors.New("is no URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("does not begin with http:// or https://")
	case u.User != nil:
		return nil, errors.New("holds a user or password: secrets do not belong in this file")
	case strings.ContainsAny(s, "?#"):
		return nil, errors.New("has a query or a fragment")
	case u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("has no host")
	case strings.HasSuffix(u.Host, ":") || u.Port() != "" && !isPort(u.Port()):
		return nil, errors.New("has a bad port")
	}
	if wrong := checkHost(u.Hostname()); wrong != "" {
		return nil, errors.New("its host " + wrong)
	}
	if wrong := checkRoutePath("/" + strings.TrimPrefix(u.EscapedPath(), "/")); wrong != "" {
		return nil, errors.New("its path: " + wrong)
	}
	return u, nil
}

// checkDirectory takes the URL of an ACME directory, or nothing.
func checkDirectory(s string) string {
	if s == "" {
		return ""
	}
	u, err := parseURL(s)
	if err != nil {
		return err.Error()
	}
	if u.Scheme != "https" {
		return "does not begin with https://"
	}
	return ""
}

func checkEmail(s string) string {
	user, host, ok := strings.Cut(s, "@")
	if s != "" && (!ok || user == "" || strings.ContainsAny(user, " \t\r\n<>@") || checkHost(host) != "") {
		return fmt.Sprintf("%q is no e-mail address", s)
	}
	return ""
}
