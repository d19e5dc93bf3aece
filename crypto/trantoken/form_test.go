package trantoken_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"kmproxy/crypto/trantoken"
)

// token joins the parts. It fails the test if the result does not have 65 to 67
// characters, because Parse must not refuse it for its length.
func token(t *testing.T, prefix, digits, mac string) string {
	t.Helper()
	s := prefix + ":" + digits + ":" + mac
	if len(s) < trantoken.MinLen || len(s) > trantoken.MaxLen {
		t.Fatalf("%q has %d characters", s, len(s))
	}
	return s
}

func TestParseRefusesOtherPrefixes(t *testing.T) {
	for _, prefix := range []string{"KMV2", "kmv1", "Kmv1", "KMV1 ", " KMV1", "KMV", "KMV1:", "1VMK", "\x00KMV"} {
		s := token(t, prefix, "2026010203040567", mac64)
		if _, err := trantoken.Parse(s); !errors.Is(err, trantoken.ErrForm) {
			t.Errorf("%q: got %v", s, err)
		}
	}
}

func TestParseRefusesTimesThatAreNone(t *testing.T) {
	digits := map[string]string{
		"month 0":              "20260001030405678",
		"month 13":             "20261301030405678",
		"day 0":                "20260100030405678",
		"30 February":          "20260230030405678",
		"29 February 2026":     "20260229030405678",
		"29 February 2100":     "21000229030405678",
		"31 April":             "20260431030405678",
		"hour 24":              "20260102240405678",
		"minute 60":            "20260102036005678",
		"a leap second":        "20261231235960000",
		"a sign":               "+0260102030405678",
		"a space":              "2026010203040 678",
		"a decimal point":      "20260102030405.67",
		"a comma":              "20260102030405,67",
		"a letter":             "2026010203040567a",
		"15 digits, otherwise": "202601020304056",
		"full-width digits":    "２０２６01023",
		"a line break":         "2026010203040567\n",
	}
	for name, d := range digits {
		mac := mac64
		if len(d) == 15 {
			mac = mac64 + "=" // keeps the length right
		}
		s := token(t, "KMV1", d, mac)
		if _, err := trantoken.Parse(s); !errors.Is(err, trantoken.ErrForm) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestParseRefusesOtherBase64(t *testing.T) {
	raw := strings.TrimSuffix(mac64, "=")
	for name, mac := range map[string]string{
		"trailing bits":            raw[:42] + "N",
		"trailing bits, padded":    raw[:42] + "N=",
		"the url alphabet -":       "-" + raw[1:],
		"the url alphabet _":       "_" + raw[1:],
		"a line break":             raw[:20] + "\n" + raw[20:],
		"a line break for a digit": raw[:20] + "\n" + raw[21:],
		"a carriage return":        raw[:20] + "\r" + raw[21:],
		"a line break at the end":  raw + "\n",
		"padding twice":            raw[:42] + "==",
		"padding in the middle":    raw[:20] + "=" + raw[21:],
		"padding too much":         raw + "==",
		"a space":                  raw[:20] + " " + raw[21:],
		"a space at the end":       raw + " ",
		"a colon":                  raw[:20] + ":" + raw[21:],
		"a NUL":                    raw[:20] + "\x00" + raw[21:],
		"one digit less":           raw[:42],
		"one digit more":           raw + "A",
		"31 bytes":                 raw[:42] + "=",
		"nothing but padding":      strings.Repeat("=", 44),
		"the documents' full stop": raw + ".",
		"44 digits, 33 bytes":      macHex[:44],
	} {
		digits := "2026010203040567"
		if len(mac) < 43 {
			digits += "8"
		}
		if _, err := trantoken.Parse(token(t, "KMV1", digits, mac)); !errors.Is(err, trantoken.ErrForm) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestTimesInZones reads the digits of one token as the local time of several zones.
func TestTimesInZones(t *testing.T) {
	tok, err := trantoken.Parse("KMV1:20240229233000250:" + mac64)
	if err != nil {
		t.Fatal(err)
	}
	for offset, want := range map[int]string{
		0:             "2024-02-29T23:30:00.25Z",
		9 * 3600:      "2024-02-29T14:30:00.25Z",
		-5 * 3600:     "2024-03-01T04:30:00.25Z",
		5*3600 + 2700: "2024-02-29T17:45:00.25Z",
		14 * 3600:     "2024-02-29T09:30:00.25Z",
		-12 * 3600:    "2024-03-01T11:30:00.25Z",
	} {
		got := tok.At(time.FixedZone("", offset)).UTC().Format(time.RFC3339Nano)
		if got != want {
			t.Errorf("%+d s: got %s, want %s", offset, got, want)
		}
	}
}

func TestZeroTokenHasNoTime(t *testing.T) {
	if at := (trantoken.Token{}).At(time.UTC); !at.IsZero() {
		t.Errorf("got %v", at)
	}
}
