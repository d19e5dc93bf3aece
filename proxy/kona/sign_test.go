package kona_test

import (
	"net/http"
	"testing"
	"time"

	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/proxy/kona"
)

// TestSign: what is signed is read, verified and of its time, in any zone.
func TestSign(t *testing.T) {
	now := time.Date(2026, 11, 22, 19, 5, 6, 789_000_000, time.UTC)
	body, secret := []byte(`{"userId":1}`), sensitive.New([]byte("a secret"))
	for _, zone := range []string{"UTC", "KST"} {
		for _, keyID := range []keys.KeyID{"", "0123456789abcdefABCDEF0123456789"} {
			s := kona.Signer{ASPID: "ABCdef000000001", AccessKey: "0123456-0123456789abcdef0123456789abcdef", Secret: secret,
				KeyID: keyID, Zone: zone, Location: zones[zone]}
			first, second := signed(t, s, body, now), signed(t, s, body, now)
			if first.ASPID != s.ASPID || first.AccessKey != s.AccessKey || first.KeyID != s.KeyID || first.Zone != zone {
				t.Errorf("%s: got %+v", zone, first)
			}
			if !first.Token.Verify(secret, body) || !first.TokenAt.Equal(now) || !first.SentAt.Equal(now.Truncate(time.Second)) {
				t.Errorf("%s: the token is of %v, sent at %v", zone, first.TokenAt, first.SentAt)
			}
			if first.CorrelationID == second.CorrelationID {
				t.Errorf("two requests have the correlation id %s", first.CorrelationID)
			}
		}
	}
}

func signed(t *testing.T, s kona.Signer, body []byte, now time.Time) kona.Headers {
	t.Helper()
	sent, received := http.Header{}, http.Header{}
	s.Sign(sent, body, now)
	for name, values := range sent {
		received[http.CanonicalHeaderKey(name)] = values
	}
	headers, err := kona.ReadHeaders(received, zones)
	if err != nil {
		t.Fatal(err)
	}
	return headers
}
