package kona

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"time"

	"kmproxy/crypto/sensitive"
	"kmproxy/crypto/trantoken"
	"kmproxy/keys"
)

// Signer signs requests on behalf of a service provider. All fields but KeyID must
// be set. It is safe for concurrent use.
type Signer struct {
	ASPID     keys.ASPID
	AccessKey keys.AccessKey
	Secret    sensitive.Bytes
	KeyID     keys.KeyID     // empty: none is sent
	Zone      string         // the value of X-KM-Time-Zone
	Location  *time.Location // of Zone
}

// Sign sets the headers of a request with this body, sent at now, under a new
// correlation id. The body must be sent as it is: the token is made over its bytes.
func (s Signer) Sign(h http.Header, body []byte, now time.Time) {
	now = now.In(s.Location)
	h.Set("Content-Type", "application/json")
	h.Set("Accept", "application/json")
	Set(h, HeaderASPID, string(s.ASPID))
	Set(h, headerAccessKey, string(s.AccessKey))
	Set(h, HeaderKeyID, string(s.KeyID))
	Set(h, HeaderCorrelationID, newCorrelationID(now))
	Set(h, HeaderToken, trantoken.Make(s.Secret, body, now))
	Set(h, headerTime, now.Format(timeLayout))
	Set(h, headerTimeZone, s.Zone)
}

// newCorrelationID returns a random id of the form that isCorrelationID accepts.
func newCorrelationID(now time.Time) string {
	b := make([]byte, (randomDigits+1)/2)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program first
	return now.Format("060102150405") + "-" + hex.EncodeToString(b)[:randomDigits]
}

// randomDigits is the number of hex digits that end a correlation id.
const randomDigits = 7
