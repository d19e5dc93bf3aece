package kona_test

import (
	"encoding/hex"
	"testing"

	"kmproxy/proxy/kona"
)

func readGood(t *testing.T, changed map[string]string) kona.Headers {
	t.Helper()
	h := good()
	for name, value := range changed {
		h.Set(name, value)
	}
	headers, err := kona.ReadHeaders(h, zones)
	if err != nil {
		t.Fatal(err)
	}
	return headers
}

// TestRequestIDs fixes the ids, because files of a replay memory hold them.
func TestRequestIDs(t *testing.T) {
	h := readGood(t, nil)
	for body, want := range map[string]string{
		`{"encData":"a.b.c.d.e"}`: "00000000000000000000000000000000",
		`{"EncData":1}`:           "00000000000000000000000000000000",
		`{"userId":1}`:            "898b1d9786ca68ad50154aa88463d210",
	} {
		if id := h.RequestID([]byte(body)); hex.EncodeToString(id[:]) != want {
			t.Errorf("%s: %x, want %s", body, id, want)
		}
	}
}

// TestWhatIdentifiesARequest: an encrypted body alone, and a plain one with the
// token's time and the correlation id.
func TestWhatIdentifiesARequest(t *testing.T) {
	plain, encrypted := []byte(`{"userId":1}`), []byte(`{"encData":"a.b.c.d.e"}`)
	first := readGood(t, nil)
	for _, c := range []struct {
		header, value        string
		plainIs, encryptedIs bool // the same as before
	}{
		{"X-Km-Tran-Token", "KMV1:20261123040506789:B" + mac43[1:] + "=", false, false},
		{"X-Km-Tran-Token", "KMV1:20261123040506788:" + mac43 + "=", false, true},
		{"X-Km-Tran-Token", "KMV1:20261123040506789:" + mac43, true, true},
		{"X-Km-Correlation-Id", "261123040506-0123abE", false, true},
		{"X-Km-Tran-Time", "20261123040507", true, true},
		{"X-Km-Crypto-Key-Id", "1123456789abcdefABCDEF0123456789", true, true},
	} {
		other := readGood(t, map[string]string{c.header: c.value})
		if same := other.RequestID(plain) == first.RequestID(plain); same != c.plainIs {
			t.Errorf("%s %s: the same plain request: %t", c.header, c.value, same)
		}
		if same := other.RequestID(encrypted) == first.RequestID(encrypted); same != c.encryptedIs {
			t.Errorf("%s %s: the same encrypted request: %t", c.header, c.value, same)
		}
	}
	utc := readGood(t, map[string]string{"X-Km-Time-Zone": "UTC", "X-Km-Tran-Token": "KMV1:20261122190506789:" + mac43 + "="})
	if utc.RequestID(plain) != first.RequestID(plain) {
		t.Error("the same moment in another zone is another request")
	}
}
