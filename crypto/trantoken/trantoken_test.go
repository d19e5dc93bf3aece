package trantoken_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"kmproxy/crypto/sensitive"
	"kmproxy/crypto/trantoken"
)

// RFC 4231 §4.3: the MAC of this body under this secret, in hex, and in base64 that was
// computed by hand from those digits.
const (
	jefe     = "Jefe"
	question = "what do ya want for nothing?"
	macHex   = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
	mac64    = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="
)

func secret(s string) sensitive.Bytes { return sensitive.New([]byte(s)) }

func TestMakeGolden(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6_789_999, time.UTC)
	want := "KMV1:20260102030405006:" + mac64
	if got := trantoken.Make(secret(jefe), []byte(question), at); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestVerifyGolden checks the four forms of one token, with 65 to 67 characters.
func TestVerifyGolden(t *testing.T) {
	unpadded := strings.TrimSuffix(mac64, "=")
	for name, c := range map[string]struct {
		token string
		size  int
		nanos int
	}{
		"as clients send it":             {"KMV1:20260102030405678:" + mac64, 67, 678e6},
		"as documented, no padding":      {"KMV1:20260102030405678:" + unpadded, 66, 678e6},
		"as documented, two digits less": {"KMV1:2026010203040567:" + mac64, 66, 670e6},
		"the shortest":                   {"KMV1:2026010203040567:" + unpadded, 65, 670e6},
	} {
		if len(c.token) != c.size {
			t.Fatalf("%s: the test's token has %d characters", name, len(c.token))
		}
		tok, err := trantoken.Parse(c.token)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		mac := tok.MAC()
		if hex.EncodeToString(mac[:]) != macHex {
			t.Errorf("%s: the MAC reads as %x", name, mac)
		}
		if !tok.Verify(secret(jefe), []byte(question)) {
			t.Errorf("%s: not verified", name)
		}
		if want := time.Date(2026, 1, 2, 3, 4, 5, c.nanos, time.UTC); !tok.At(time.UTC).Equal(want) {
			t.Errorf("%s: the time reads as %v", name, tok.At(time.UTC))
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	parse := func(s string) trantoken.Token {
		tok, err := trantoken.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return tok
	}
	good := parse("KMV1:20260102030405678:" + mac64)
	emptyKey := parse(trantoken.Make(secret(""), []byte(question), time.Now()))
	wiped := secret(jefe)
	wiped.Wipe()
	for name, c := range map[string]struct {
		token  trantoken.Token
		secret sensitive.Bytes
		body   string
	}{
		"another secret":               {good, secret("jefe"), question},
		"a longer secret":              {good, secret("Jefe "), question},
		"another body":                 {good, secret(jefe), question[:27] + "!"},
		"a longer body":                {good, secret(jefe), question + "\n"},
		"no body":                      {good, secret(jefe), ""},
		"body and secret swapped":      {good, secret(question), jefe},
		"a changed MAC":                {parse("KMV1:20260102030405678:X" + mac64[1:]), secret(jefe), question},
		"a MAC changed at its end":     {parse("KMV1:20260102030405678:" + mac64[:42] + "I="), secret(jefe), question},
		"the zero token":               {trantoken.Token{}, secret(jefe), question},
		"an empty secret's own token":  {emptyKey, secret(""), question},
		"a wiped secret":               {good, wiped, question},
		"a wiped secret, an empty key": {emptyKey, wiped, question},
		"the zero secret":              {emptyKey, sensitive.Bytes{}, question},
	} {
		if c.token.Verify(c.secret, []byte(c.body)) {
			t.Errorf("%s: verified", name)
		}
	}
}

// TestTimeIsNotCovered checks what the package comment warns of: a captured token can
// be sent again with a new time.
func TestTimeIsNotCovered(t *testing.T) {
	tok, err := trantoken.Parse("KMV1:20991231235959999:" + mac64)
	if err != nil || !tok.Verify(secret(jefe), []byte(question)) {
		t.Errorf("a token with another time is not verified (%v): the package comment is wrong", err)
	}
}

func TestMakeParseVerify(t *testing.T) {
	seoul := time.FixedZone("KST", 9*60*60)
	at := time.Date(2024, 2, 29, 23, 59, 59, 999e6, seoul)
	for _, body := range []string{"", "{}", strings.Repeat("\x00\xff", 1<<16)} {
		made := trantoken.Make(secret("secret"), []byte(body), at)
		if len(made) != trantoken.MaxLen {
			t.Errorf("made %d characters", len(made))
		}
		tok, err := trantoken.Parse(made)
		if err != nil || !tok.At(seoul).Equal(at) || !tok.Verify(secret("secret"), []byte(body)) {
			t.Errorf("a body of %d bytes: %v at %v", len(body), err, tok.At(seoul))
		}
	}
}

func TestParseErrorsAreTwo(t *testing.T) {
	for s, want := range map[string]error{
		"":                                    trantoken.ErrLength,
		"KMV1:":                               trantoken.ErrLength,
		strings.Repeat("x", 64):               trantoken.ErrLength,
		strings.Repeat("x", 65):               trantoken.ErrForm,
		strings.Repeat("x", 66):               trantoken.ErrForm,
		strings.Repeat("x", 67):               trantoken.ErrForm,
		strings.Repeat("x", 68):               trantoken.ErrLength,
		strings.Repeat("KMV1:", 1<<18):        trantoken.ErrLength,
		"KMV1:20260102030405678:" + mac64[1:]: trantoken.ErrForm,
	} {
		if _, err := trantoken.Parse(s); !errors.Is(err, want) {
			t.Errorf("%.80q: got %v, want %v", s, err, want)
		}
	}
}
