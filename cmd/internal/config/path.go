package config

import (
	"fmt"
	"path/filepath"
	"strings"
)

// file is the path of a file, from the folder dir on. An empty one stays empty.
func file(dir string) kind[string] {
	plain := text(checkFile)
	return kind[string]{
		read: func(v any) (string, []fault) {
			s, faults := plain.read(v)
			if faults != nil || s == "" {
				return "", faults
			}
			return within(dir, s), nil
		},
		show: plain.show,
	}
}

func checkFile(s string) string {
	switch {
	case strings.ContainsRune(s, 0):
		return "a path cannot hold a zero byte"
	case strings.HasPrefix(s, "~/"):
		return "~ is the shell's: write the whole path"
	}
	return ""
}

// within is where a path lies that was written in a file in the folder dir.
func within(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

// checkBasePath: a path as of a route, or nothing.
func checkBasePath(s string) string {
	if s == "" {
		return ""
	}
	if strings.HasSuffix(s, "/") {
		return "ends with a slash"
	}
	return checkRoutePath(s)
}

// checkRoutePath takes what a request's path can be byte for byte: the
// characters of RFC 3986 §3.3 without escapes, and no segment that a client or
// a proxy on the way would take out.
func checkRoutePath(s string) string {
	if !strings.HasPrefix(s, "/") {
		return "does not begin with a slash"
	}
	for _, c := range s {
		if !strings.ContainsRune("-._~!$&'()*+,;=:@/", c) && !isLetterOrDigit(c) {
			return fmt.Sprintf("a path cannot hold %q", c)
		}
	}
	for _, part := range []string{"//", "..", "/./"} {
		if strings.Contains(s, part) {
			return fmt.Sprintf("a path cannot hold %q", part)
		}
	}
	if strings.HasSuffix(s, "/.") {
		return `a path cannot end with "/."`
	}
	return ""
}

func isLetterOrDigit(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
