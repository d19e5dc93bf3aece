package kona_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"kmproxy/proxy/kona"
)

// grammar is the protocol's own, written down a second time.
var grammar = map[string]*regexp.Regexp{
	"X-Km-User-Aspid":     regexp.MustCompile(`^[0-9A-Za-z]{15}$`),
	"X-Km-Correlation-Id": regexp.MustCompile(`^[0-9]{12}-[0-9A-Fa-f]{7}$`),
	"X-Km-Access-Key":     regexp.MustCompile(`^[!-~]{40}$`),
	"X-Km-Crypto-Key-Id":  regexp.MustCompile(`^[0-9A-Fa-f]{32}$`),
	"X-Km-Time-Zone":      regexp.MustCompile(`^(UTC|KST)$`),
	"X-Km-Tran-Token":     regexp.MustCompile(`^KMV1:[0-9]{16,17}:[0-9A-Za-z+/]{43}=?$`),
	"X-Km-Tran-Time":      regexp.MustCompile(`^([0-9]{14}|[0-9]{17})$`),
}

var foreign = regexp.MustCompile(`(?i)^x[^0-9a-z]km[^0-9a-z]`)

// FuzzHeaders reads headers from lines of name and value. Whatever comes, nothing
// panics, and what is accepted is of the grammar.
func FuzzHeaders(f *testing.F) {
	for _, edit := range []string{"", "X-Km-Tran-Time: 20261123040506789\n", "X_KM_Zone: KST\n", "Connection: close, x-km-a\n",
		"X-Km-User-Aspid: 1\n", "X-Km-Crypto-Key-Id: \n"} {
		var text strings.Builder
		for name, values := range good() {
			text.WriteString(name + ": " + values[0] + "\n")
		}
		f.Add(text.String() + edit)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h := http.Header{}
		for line := range strings.Lines(text) {
			if name, value, ok := strings.Cut(line, ":"); ok {
				h.Add(name, strings.TrimSpace(value))
			}
		}
		got, err := kona.ReadHeaders(h, zones)
		id, valid := kona.CorrelationID(h)
		if valid != (len(h["X-Km-Correlation-Id"]) == 1 && grammar["X-Km-Correlation-Id"].MatchString(id)) {
			t.Errorf("correlation id %q is valid: %t", h["X-Km-Correlation-Id"], valid)
		}
		if err == nil {
			checkAccepted(t, h, got)
		}
		kona.Strip(h)
		for name := range h {
			if foreign.MatchString(name) {
				t.Errorf("%q is left after Strip", name)
			}
		}
	})
}

func checkAccepted(t *testing.T, h http.Header, got kona.Headers) {
	for name, form := range grammar {
		values := h[name]
		if name == "X-Km-Crypto-Key-Id" && values == nil && got.KeyID == "" {
			continue
		}
		if len(values) != 1 || !form.MatchString(values[0]) {
			t.Errorf("accepted %s %q", name, values)
		}
	}
	for name := range h {
		if foreign.MatchString(name) && !strings.HasPrefix(strings.ToLower(name), "x-km-") {
			t.Errorf("accepted a header named %q", name)
		}
	}
	if got.SentAt.Format("20060102150405") != got.Time[:14] {
		t.Errorf("time %q was read as %v", got.Time, got.SentAt)
	}
	to := http.Header{}
	got.Forward(to, got.KeyID)
	for name := range to {
		if name == "X-KM-Tran-Token" || name == "X-KM-Access-Key" {
			t.Errorf("%s is forwarded", name)
		}
	}
	if within := got.Within(got.SentAt, 0); within != got.SentAt.Equal(got.TokenAt) {
		t.Errorf("sent %v, token %v: within nothing is %t", got.SentAt, got.TokenAt, within)
	}
}
