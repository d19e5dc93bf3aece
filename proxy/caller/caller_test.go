package caller_test

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwe"
	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive"
	"kmproxy/crypto/trantoken"
	"kmproxy/proxy/caller"
	"kmproxy/proxy/kona"
)

// far is the other side: it records the last request and answers as configured.
type far struct {
	got    *http.Request
	body   []byte
	answer func(r *http.Request) *http.Response
}

// RoundTrip implements http.RoundTripper.
func (f *far) RoundTrip(r *http.Request) (*http.Response, error) {
	f.got = r
	f.body, _ = io.ReadAll(r.Body)
	if f.answer == nil {
		return nil, errors.New("unreachable")
	}
	answer := f.answer(r)
	answer.Request = r
	return answer, nil
}

func says(status int, header http.Header, body io.Reader) func(*http.Request) *http.Response {
	return func(*http.Request) *http.Response {
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(body)}
	}
}

var pair = [2]func() *rsa.PrivateKey{sync.OnceValue(generate), sync.OnceValue(generate)}

func generate() *rsa.PrivateKey {
	k, err := jwk.Generate(jwk.MinBits)
	if err != nil {
		panic(err)
	}
	return k
}

func private(t *testing.T, k *rsa.PrivateKey) jwk.Private {
	t.Helper()
	p, err := jwk.NewPrivate(k, alg.All())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var now = time.Date(2026, 11, 23, 4, 5, 6, 7_000_000, time.UTC)

func newCaller(t *testing.T) (*caller.Caller, *far) {
	t.Helper()
	f := &far{}
	return &caller.Caller{URL: "https://api.example/", ASPID: "000000000000001", AccessKey: "0123456-0123456789abcdef0123456789abcdef",
		Secret: sensitive.New([]byte("secret")), KeyID: "0123456789abcdef0123456789abcdef",
		Server: private(t, pair[0]()).Public(), Client: private(t, pair[1]()),
		HTTP: &http.Client{Transport: f}, Now: func() time.Time { return now }}, f
}

func TestWhatIsSent(t *testing.T) {
	c, f := newCaller(t)
	f.answer = says(http.StatusOK, http.Header{}, strings.NewReader("{}"))
	for _, suite := range []alg.Suite{{}, {Key: alg.RSAOAEP, Enc: alg.A128GCM}} {
		c.Suite = suite
		if _, err := c.Call(t.Context(), "/api/v1/x?y=z", []byte(`{"userId":1}`)); err != nil {
			t.Fatal(err)
		}
		token, err := kona.Unwrap(f.body)
		if err != nil {
			t.Fatal(err)
		}
		message, err := jwe.Parse(token)
		if err != nil {
			t.Fatal(err)
		}
		want := suite
		if suite == (alg.Suite{}) {
			want = alg.Preferred()
		}
		if message.Suite() != want {
			t.Errorf("sealed with %v, want %v", message.Suite(), want)
		}
		plain, err := jwe.Open(private(t, pair[0]()), message)
		if err != nil || string(plain.Bytes()) != `{"userId":1}` {
			t.Errorf("the server opens %v", err)
		}
		if got := f.got.URL.String(); got != "https://api.example/api/v1/x?y=z" || f.got.Method != http.MethodPost {
			t.Errorf("%s %s", f.got.Method, got)
		}
		checkSigned(t, f.got.Header, f.body, "20261123040506", "UTC")
	}
}

func checkSigned(t *testing.T, h http.Header, body []byte, at, zone string) {
	t.Helper()
	for name, form := range map[string]string{
		"X-KM-User-AspId": "000000000000001", "X-KM-Access-Key": "0123456-0123456789abcdef0123456789abcdef",
		"X-KM-Crypto-Key-Id": "0123456789abcdef0123456789abcdef", "X-KM-Correlation-Id": at[2:] + "-[0-9a-f]{7}",
		"X-KM-Tran-Token": "KMV1:" + at + "007:[0-9A-Za-z+/]{43}=", "X-KM-Tran-Time": at, "X-KM-Time-Zone": zone,
		"Content-Type": "application/json", "Accept": "application/json",
	} {
		if len(h[name]) != 1 || !regexp.MustCompile("^"+form+"$").MatchString(h[name][0]) {
			t.Errorf("%s is %q, want %s", name, h[name], form)
		}
	}
	token, err := trantoken.Parse(h[kona.Written(kona.HeaderToken)][0])
	if err != nil || !token.Verify(sensitive.New([]byte("secret")), body) {
		t.Errorf("the token is not the body's: %v", err)
	}
}

func TestZone(t *testing.T) {
	c, _ := newCaller(t)
	c.Zone, c.Location = "KST", time.FixedZone("KST", 9*60*60)
	h := http.Header{}
	c.Sign(h, nil)
	checkSigned(t, h, nil, "20261123130506", "KST")
	c.KeyID = ""
	h = http.Header{}
	c.Sign(h, nil)
	if _, sent := h[kona.Written(kona.HeaderKeyID)]; sent {
		t.Error("a key id is sent where there is none")
	}
}

// sealedAnswer is an answer to r, encrypted to the caller, and changed by edit.
func sealedAnswer(t *testing.T, edit func(h http.Header, body []byte) []byte) func(*http.Request) *http.Response {
	return func(r *http.Request) *http.Response {
		body, err := kona.Wrap(nil, func(dst []byte) ([]byte, error) {
			return jwe.Seal(dst, private(t, pair[1]()).Public(), alg.Preferred(), []byte("answer  "))
		})
		if err != nil {
			t.Error(err)
		}
		h := http.Header{"X-Km-Correlation-Id": r.Header[kona.Written(kona.HeaderCorrelationID)]}
		return says(http.StatusOK, h, bytes.NewReader(edit(h, body)))(r)
	}
}

func TestAnswers(t *testing.T) {
	stay := func(_ http.Header, b []byte) []byte { return b }
	for what, c := range map[string]struct {
		edit func(http.Header, []byte) []byte
		want error
	}{
		"good":                     {stay, nil},
		"no correlation id":        {func(h http.Header, b []byte) []byte { clear(h); return b }, caller.ErrCorrelation},
		"another's correlation id": {func(h http.Header, b []byte) []byte { h.Set("X-KM-Correlation-Id", "261123040506-0000000"); return b }, caller.ErrCorrelation},
		"two correlation ids": {func(h http.Header, b []byte) []byte {
			h.Add("X-KM-Correlation-Id", h.Get("X-KM-Correlation-Id"))
			return b
		}, caller.ErrCorrelation},
		"something behind it": {func(_ http.Header, b []byte) []byte { return append(b, "{}"...) }, kona.ErrWrapper},
		"another name":        {func(_ http.Header, b []byte) []byte { return bytes.ToLower(b) }, kona.ErrWrapper},
		"no JWE":              {func(http.Header, []byte) []byte { return []byte(`{"encData":"a.b"}`) }, jwe.ErrOpen},
		"changed on the way": {func(_ http.Header, b []byte) []byte {
			tag := b[bytes.LastIndexByte(b, '.')+1:]
			copy(tag, map[bool]string{true: "B", false: "A"}[tag[0] == 'A'])
			return b
		}, jwe.ErrOpen},
	} {
		caller, f := newCaller(t)
		f.answer = sealedAnswer(t, c.edit)
		x, err := caller.Call(t.Context(), "/", nil)
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
		if !x.Encrypted || x.Status != http.StatusOK || len(x.AnswerBody) == 0 {
			t.Errorf("%s: what was received is not shown: %+v", what, x)
		}
		if opened := string(x.Plaintext) == "answer  "; opened != (c.want == nil) || !opened && x.Plaintext != nil {
			t.Errorf("%s: plaintext %q", what, x.Plaintext)
		}
	}
}

func TestPlainAnswer(t *testing.T) {
	c, f := newCaller(t)
	f.answer = says(http.StatusBadRequest, http.Header{}, strings.NewReader(`{"response":{}}`))
	x, err := c.Send(t.Context(), "/", []byte("{}"))
	if err != nil || x.Encrypted || x.Status != http.StatusBadRequest || string(x.Plaintext) != `{"response":{}}` {
		t.Errorf("%+v, %v", x, err)
	}
}

// TestRedirectsAreAnswers: a redirect must not carry body and token to another host.
func TestRedirectsAreAnswers(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		c, f := newCaller(t)
		asked := 0
		f.answer = func(r *http.Request) *http.Response {
			asked++
			return says(status, http.Header{"Location": {"https://elsewhere.example/"}}, strings.NewReader(""))(r)
		}
		x, err := c.Send(t.Context(), "/", []byte("{}"))
		if err != nil || x.Status != status || asked != 1 {
			t.Errorf("%d: asked %d times, got %d, %v", status, asked, x.Status, err)
		}
		if c.HTTP.CheckRedirect != nil {
			t.Error("the caller's own client was changed")
		}
	}
}

// endless is a body without an end, and broken one without a good end.
type (
	endless struct{}
	broken  struct{}
)

func (endless) Read(p []byte) (int, error) { return len(p), nil }
func (broken) Read([]byte) (int, error)    { return 0, io.ErrUnexpectedEOF }

func TestBrokenAnswers(t *testing.T) {
	for what, c := range map[string]struct {
		body io.Reader
		want error
	}{
		"endless": {endless{}, caller.ErrTooLarge},
		"cut":     {io.MultiReader(strings.NewReader(`{"response"`), broken{}), io.ErrUnexpectedEOF},
	} {
		caller, f := newCaller(t)
		f.answer = says(http.StatusOK, http.Header{}, c.body)
		if x, err := caller.Send(t.Context(), "/", nil); !errors.Is(err, c.want) || x.Plaintext != nil {
			t.Errorf("%s: plaintext of %d bytes, %v", what, len(x.Plaintext), err)
		}
	}
}

func TestNothingIsSent(t *testing.T) {
	c, f := newCaller(t)
	c.Server = jwk.Public{}
	if _, err := c.Call(t.Context(), "/", nil); err == nil || f.got != nil {
		t.Errorf("without a server key: %v", err)
	}
	c, f = newCaller(t)
	c.URL = "https://api.example:port"
	if _, err := c.Call(t.Context(), "/", nil); err == nil || f.got != nil {
		t.Errorf("to a bad URL: %v", err)
	}
	c, _ = newCaller(t)
	if _, err := c.Call(t.Context(), "/", nil); err == nil || !strings.Contains(err.Error(), "sending the request") {
		t.Errorf("unreachable: %v", err)
	}
}
