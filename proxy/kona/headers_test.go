package kona_test

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kmproxy/proxy/kona"
)

var zones = kona.Zones{"UTC": time.UTC, "KST": time.FixedZone("KST", 9*60*60), "NIL": nil}

const mac43 = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" // 32 zero bytes without padding

// good is a request's header as it should be.
func good() http.Header {
	return http.Header{
		"X-Km-User-Aspid":     {"ABCdef000000001"},
		"X-Km-Correlation-Id": {"261123040506-0123abF"},
		"X-Km-Access-Key":     {"0123456-0123456789abcdef0123456789abcdef"},
		"X-Km-Crypto-Key-Id":  {"0123456789abcdefABCDEF0123456789"},
		"X-Km-Time-Zone":      {"KST"},
		"X-Km-Tran-Token":     {"KMV1:20261123040506789:" + mac43 + "="},
		"X-Km-Tran-Time":      {"20261123040506"},
	}
}

// protocol has every header by net/http's name: its name in answers and whether
// it may be left out.
var protocol = map[string]struct {
	written  string
	optional bool
}{
	"X-Km-User-Aspid":     {"X-KM-User-AspId", false},
	"X-Km-Correlation-Id": {"X-KM-Correlation-Id", false},
	"X-Km-Access-Key":     {"X-KM-Access-Key", false},
	"X-Km-Crypto-Key-Id":  {"X-KM-Crypto-Key-Id", true},
	"X-Km-Time-Zone":      {"X-KM-Time-Zone", false},
	"X-Km-Tran-Token":     {"X-KM-Tran-Token", false},
	"X-Km-Tran-Time":      {"X-KM-Tran-Time", false},
}

func wantFault(t *testing.T, h http.Header, fault kona.Failure, name string) {
	t.Helper()
	got, err := kona.ReadHeaders(h, zones)
	e, ok := errors.AsType[*kona.Error](err)
	if !ok || e.Failure != fault || e.Name != name {
		t.Errorf("got %v, want fault %d of %s", err, fault, name)
	}
	if got != (kona.Headers{}) {
		t.Errorf("a refused request has headers: %+v", got)
	}
}

func TestReadHeaders(t *testing.T) {
	got, err := kona.ReadHeaders(good(), zones)
	if err != nil {
		t.Fatal(err)
	}
	if got.ASPID != "ABCdef000000001" || got.CorrelationID != "261123040506-0123abF" ||
		got.AccessKey != "0123456-0123456789abcdef0123456789abcdef" || got.KeyID != "0123456789abcdefABCDEF0123456789" ||
		got.Zone != "KST" || got.Time != "20261123040506" || got.Token.MAC() != [32]byte{} {
		t.Errorf("got %+v", got)
	}
	if want := time.Date(2026, 11, 22, 19, 5, 6, 0, time.UTC); !got.SentAt.Equal(want) {
		t.Errorf("sent at %v, want %v", got.SentAt, want)
	}
	if want := time.Date(2026, 11, 22, 19, 5, 6, 789_000_000, time.UTC); !got.TokenAt.Equal(want) {
		t.Errorf("token of %v, want %v: it is in the request's zone", got.TokenAt, want)
	}
}

// TestEveryHeader has what can be wrong with any of them.
func TestEveryHeader(t *testing.T) {
	if len(protocol) != 7 {
		t.Fatalf("%d headers are tried", len(protocol))
	}
	for name, p := range protocol {
		t.Run(p.written, func(t *testing.T) {
			if kona.Written(name) != p.written {
				t.Errorf("written as %q", kona.Written(name))
			}
			value := good()[name][0]
			emptyFault := kona.MissingValue
			if p.optional {
				emptyFault = kona.WrongLength
			}
			for what, c := range map[string]struct {
				values []string
				fault  kona.Failure
			}{
				"empty":                          {[]string{""}, emptyFault},
				"twice the same":                 {[]string{value, value}, kona.InvalidInput},
				"twice, one empty":               {[]string{"", value}, kona.InvalidInput},
				"twice, both empty":              {[]string{"", ""}, kona.InvalidInput},
				"one character more":             {[]string{value + "0"}, kona.WrongLength},
				"megabytes":                      {[]string{strings.Repeat(value, 1<<16)}, kona.WrongLength},
				"joined by a comma":              {[]string{value + ", " + value}, kona.WrongLength},
				"one character less":             {[]string{value[1:]}, kona.WrongLength},
				"one character":                  {[]string{"0"}, kona.WrongLength},
				"blanks of its size":             {[]string{strings.Repeat(" ", len(value))}, kona.InvalidInput},
				"zeros of its size":              {[]string{strings.Repeat("\x00", len(value))}, kona.InvalidInput},
				"a line break inside":            {[]string{value[:2] + "\n" + value[3:]}, kona.InvalidInput},
				"a letter that is none of ASCII": {[]string{value[:1] + "é" + value[3:]}, kona.InvalidInput},
				"a high byte":                    {[]string{value[:1] + "\xff" + value[2:]}, kona.InvalidInput},
			} {
				if name == "X-Km-Tran-Token" && what == "one character less" {
					continue // 66 characters are a length of its own: TestTokens
				}
				h := good()
				h[name] = c.values
				t.Run(what, func(t *testing.T) { wantFault(t, h, c.fault, p.written) })
			}
			for what, values := range map[string][]string{"missing": nil, "without values": {}} {
				h := good()
				h[name] = values
				if values == nil {
					delete(h, name)
				}
				switch _, err := kona.ReadHeaders(h, zones); {
				case !p.optional:
					wantFault(t, h, kona.MissingValue, p.written)
				case what == "missing" && err != nil:
					t.Errorf("it may be left out: %v", err)
				}
			}
		})
	}
}

func TestForms(t *testing.T) {
	hex31, alnum14 := strings.Repeat("a", 31), strings.Repeat("0", 14)
	for _, c := range []struct {
		name, value string
		ok          bool
	}{
		{"X-Km-User-Aspid", alnum14 + "z", true},
		{"X-Km-User-Aspid", alnum14 + "-", false},
		{"X-Km-User-Aspid", alnum14 + "_", false},
		{"X-Km-User-Aspid", alnum14 + "/", false},
		{"X-Km-Access-Key", strings.Repeat("~", 40), true},
		{"X-Km-Access-Key", strings.Repeat("!", 40), true},
		{"X-Km-Access-Key", strings.Repeat("!", 39) + " ", false},
		{"X-Km-Access-Key", strings.Repeat("!", 39) + "\x7f", false},
		{"X-Km-Crypto-Key-Id", hex31 + "F", true},
		{"X-Km-Crypto-Key-Id", hex31 + "g", false},
		{"X-Km-Crypto-Key-Id", "0x" + hex31[1:], false},
		{"X-Km-Correlation-Id", "000000000000-fffffff", true},
		{"X-Km-Correlation-Id", "000000000000-FFFFFFF", true},
		{"X-Km-Correlation-Id", "00000000000a-fffffff", false},
		{"X-Km-Correlation-Id", "000000000000_fffffff", false},
		{"X-Km-Correlation-Id", "000000000000-ffffffg", false},
		{"X-Km-Correlation-Id", "0000000000000fffffff", false},
		{"X-Km-Correlation-Id", "-00000000000-fffffff", false},
		{"X-Km-Time-Zone", "UTC", true},
		{"X-Km-Time-Zone", "utc", false},
		{"X-Km-Time-Zone", "GMT", false}, // not in zones
		{"X-Km-Time-Zone", "NIL", false},
		{"X-Km-Time-Zone", "+09", false},
		{"X-Km-Tran-Time", "20260228235959", true},
		{"X-Km-Tran-Time", "20260228235959000", true},
		{"X-Km-Tran-Time", "20260228235959999", true},
		{"X-Km-Tran-Time", "20240229000000", true},
		{"X-Km-Tran-Time", "20260229000000", false},
		{"X-Km-Tran-Time", "20261301000000", false},
		{"X-Km-Tran-Time", "20260001000000", false},
		{"X-Km-Tran-Time", "20260101240000", false},
		{"X-Km-Tran-Time", "20260101006000", false},
		{"X-Km-Tran-Time", "20260101000060", false},
		{"X-Km-Tran-Time", "2026010100000.", false},
		{"X-Km-Tran-Time", "20260101000000.00", false},
		{"X-Km-Tran-Time", "+0260101000000", false},
		{"X-Km-Tran-Time", "２26010100000", false}, // 14 bytes
	} {
		h := good()
		h[c.name] = []string{c.value}
		if c.ok {
			if _, err := kona.ReadHeaders(h, zones); err != nil {
				t.Errorf("%s %q: %v", c.name, c.value, err)
			}
			continue
		}
		wantFault(t, h, kona.InvalidInput, protocol[c.name].written)
	}
}

// TestTimeLengths: 14 digits or 17; in between lies nothing that clients send.
func TestTimeLengths(t *testing.T) {
	for n := range 40 {
		h := good()
		h["X-Km-Tran-Time"] = []string{strings.Repeat("1", n)}
		switch {
		case n == 0:
			wantFault(t, h, kona.MissingValue, "X-KM-Tran-Time")
		case n != 14 && n != 17:
			wantFault(t, h, kona.WrongLength, "X-KM-Tran-Time")
		default:
			if _, err := kona.ReadHeaders(h, zones); err != nil {
				t.Errorf("%d digits: %v", n, err)
			}
		}
	}
}

func TestTokens(t *testing.T) {
	const digits17 = "20261123040506789"
	for _, c := range []struct {
		what, value string
		fault       kona.Failure // 0: it is good
	}{
		{"67 characters", "KMV1:" + digits17 + ":" + mac43 + "=", 0},
		{"66, not padded", "KMV1:" + digits17 + ":" + mac43, 0},
		{"66, a time of 16 digits", "KMV1:" + digits17[:16] + ":" + mac43 + "=", 0},
		{"65, both", "KMV1:" + digits17[:16] + ":" + mac43, 0},
		{"64", "KMV1:" + digits17[:15] + ":" + mac43, kona.WrongLength},
		{"68", "KMV1:" + digits17 + ":" + mac43 + "==", kona.WrongLength},
		{"64 hex digits and 2 more", strings.Repeat("0", 66), kona.InvalidInput},
		{"another version", "KMV2:" + digits17 + ":" + mac43 + "=", kona.InvalidInput},
		{"lower case", "kmv1:" + digits17 + ":" + mac43 + "=", kona.InvalidInput},
		{"a time of 18 digits", "KMV1:" + digits17 + "0:" + mac43, kona.InvalidInput},
		{"a time of 15 digits", "KMV1:" + digits17[:15] + ":" + mac43 + "==", kona.InvalidInput},
		{"a 13th month", "KMV1:20261323040506789:" + mac43 + "=", kona.InvalidInput},
		{"base64url", "KMV1:" + digits17 + ":" + mac43[:42] + "_=", kona.InvalidInput},
		{"trailing bits", "KMV1:" + digits17 + ":" + mac43[:42] + "B=", kona.InvalidInput},
		{"a line break in the MAC", "KMV1:" + digits17 + ":" + mac43[:40] + "\nAAA", kona.InvalidInput},
		{"padding within", "KMV1:" + digits17 + ":" + mac43[:42] + "==", kona.InvalidInput},
		{"no second colon", "KMV1:" + digits17 + "=" + mac43 + "=", kona.InvalidInput},
	} {
		h := good()
		h["X-Km-Tran-Token"] = []string{c.value}
		if c.fault != 0 {
			t.Run(c.what, func(t *testing.T) { wantFault(t, h, c.fault, "X-KM-Tran-Token") })
			continue
		}
		if _, err := kona.ReadHeaders(h, zones); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

// TestOrder: of two faults the one that is first in the protocol is reported.
func TestOrder(t *testing.T) {
	order := []string{"X-Km-User-Aspid", "X-Km-Correlation-Id", "X-Km-Access-Key", "X-Km-Crypto-Key-Id",
		"X-Km-Time-Zone", "X-Km-Tran-Token", "X-Km-Tran-Time"}
	if got := slices.Sorted(maps.Keys(protocol)); !slices.Equal(got, slices.Sorted(slices.Values(order))) {
		t.Fatalf("order has not all of %q", got)
	}
	for i, first := range order {
		for _, second := range order[i+1:] {
			h := good()
			h[first], h[second] = []string{"x"}, []string{"x"}
			wantFault(t, h, kona.WrongLength, protocol[first].written)
		}
	}
}
