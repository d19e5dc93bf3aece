// Package caller is the service provider's side of the protocol: it encrypts and signs a
// request, sends it, and decrypts the answer.
//
// [Caller.Call] does all of it. Use [Caller.Encrypt] and [Caller.Send] to look at a body
// or to change it in between, [Caller.Send] alone for a body that is sent in plain, and
// [Caller.Sign] for a request that another HTTP client sends.
package caller

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwe"
	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/proxy/kona"
)

// maxAnswerBytes bounds what a caller reads of an answer.
const maxAnswerBytes = 64 << 20

// Errors of an answer that was received and is not to be believed.
var (
	ErrTooLarge    = errors.New("the answer is larger than 64 MiB")
	ErrCorrelation = errors.New("the answer is encrypted and carries another correlation id than the request")
)

// Caller is one service provider with one crypto key. It is safe for concurrent
// use. It follows no redirect, because that would send body and token to another server.
type Caller struct {
	URL       string // of the API, without the path
	ASPID     keys.ASPID
	AccessKey keys.AccessKey
	Secret    sensitive.Bytes
	KeyID     keys.KeyID     // empty: none is sent
	Server    jwk.Public     // requests are encrypted to it
	Client    jwk.Private    // answers are opened with it
	Suite     alg.Suite      // zero: RSA-OAEP-256 with A256GCM
	Reuse     *jwe.Sealer    // of Server, for all requests; nil: each has a content key of its own
	Zone      string         // X-KM-Time-Zone; empty: UTC
	Location  *time.Location // that zone; must be set where Zone is
	HTTP      *http.Client
	Now       func() time.Time
}

// Exchange is a call and its answer, as they were sent and as they were meant.
type Exchange struct {
	RequestHeader http.Header
	RequestBody   []byte // as it was sent
	Status        int
	AnswerHeader  http.Header
	AnswerBody    []byte // as it was received
	Encrypted     bool   // the answer was
	Plaintext     []byte // of the answer
}

// Call sends a plaintext encrypted and opens the answer. An answer that is not
// encrypted is returned as it is. Errors of an encrypted answer: ErrCorrelation,
// kona.ErrWrapper, jwe.ErrOpen; the Exchange has what was received.
func (c *Caller) Call(ctx context.Context, path string, plaintext []byte) (Exchange, error) {
	body, err := c.Encrypt(plaintext)
	if err != nil {
		return Exchange{}, err
	}
	return c.Send(ctx, path, body)
}

// Encrypt returns the body that carries a plaintext.
func (c *Caller) Encrypt(plaintext []byte) ([]byte, error) {
	body, err := kona.Wrap(nil, func(dst []byte) ([]byte, error) { return c.seal(dst, plaintext) })
	if err != nil {
		return nil, fmt.Errorf("encrypting the request: %w", err)
	}
	return body, nil
}

func (c *Caller) seal(dst, plaintext []byte) ([]byte, error) {
	switch {
	case c.Reuse != nil:
		return c.Reuse.Seal(dst, plaintext)
	case c.Suite == alg.Suite{}:
		return jwe.Seal(dst, c.Server, alg.Preferred(), plaintext)
	}
	return jwe.Seal(dst, c.Server, c.Suite, plaintext)
}

// Send signs and sends a body as it is.
func (c *Caller) Send(ctx context.Context, path string, body []byte) (Exchange, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return Exchange{}, fmt.Errorf("making the request: %w", err)
	}
	c.Sign(r.Header, body)
	x := Exchange{RequestHeader: r.Header, RequestBody: body}
	client := *c.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := client.Do(r)
	if err != nil {
		return x, fmt.Errorf("sending the request: %w", err)
	}
	defer func() { _ = answer.Body.Close() }() // it was read to its end, or the error says so
	x.Status, x.AnswerHeader = answer.StatusCode, answer.Header
	x.AnswerBody, err = io.ReadAll(io.LimitReader(answer.Body, maxAnswerBytes+1))
	if err == nil && len(x.AnswerBody) > maxAnswerBytes {
		err = ErrTooLarge
	}
	if err != nil {
		return x, fmt.Errorf("reading the answer: %w", err)
	}
	return x, c.open(&x)
}

// Sign sets the protocol's headers for a body, under a new correlation id.
func (c *Caller) Sign(h http.Header, body []byte) {
	zone, loc := c.Zone, c.Location
	if zone == "" {
		zone, loc = "UTC", time.UTC
	}
	kona.Signer{ASPID: c.ASPID, AccessKey: c.AccessKey, Secret: c.Secret, KeyID: c.KeyID, Zone: zone, Location: loc}.Sign(h, body, c.Now())
}

// open decrypts an answer that is encrypted. Some APIs encrypt their answer to a
// plain request too, so that the answer itself decides.
func (c *Caller) open(x *Exchange) error {
	x.Plaintext = x.AnswerBody
	if !kona.IsEncrypted(x.AnswerBody) {
		return nil
	}
	x.Encrypted = true
	x.Plaintext = nil
	if !x.correlated() {
		return fmt.Errorf("opening the answer: %w", ErrCorrelation)
	}
	token, err := kona.Unwrap(x.AnswerBody)
	if err != nil {
		return fmt.Errorf("opening the answer: %w", err)
	}
	message, err := jwe.Parse(token)
	if err != nil {
		return fmt.Errorf("opening the answer: %w: %s", err, jwe.Reason(err))
	}
	plain, err := jwe.Open(c.Client, message)
	if err != nil {
		return fmt.Errorf("opening the answer: %w: %s", err, jwe.Reason(err))
	}
	x.Plaintext = plain.Bytes()
	return nil
}

// correlated reports whether the answer carries the request's correlation id. An
// encrypted answer proves no sender: anyone with the public key can make one.
func (x *Exchange) correlated() bool {
	sent := x.RequestHeader[kona.Written(kona.HeaderCorrelationID)]
	return slices.Equal(x.AnswerHeader.Values(kona.HeaderCorrelationID), sent)
}
