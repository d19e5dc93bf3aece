package kona_test

import (
	"maps"
	"net/http"
	"testing"

	"kmproxy/proxy/kona"
)

// disguises are names that a server behind us could take for one of ours, and
// what the answer calls them.
var disguises = map[string]string{
	"X_km_access_key":    "X-KM-Access-Key",
	"X_KM_ACCESS_KEY":    "X-KM-Access-Key",
	"X-Km_access-Key":    "X-KM-Access-Key",
	"X_km-User-Aspid":    "X-KM-User-AspId",
	"X.Km.Tran.Token":    "X-KM-Tran-Token",
	"X-Km.Tran~Time":     "X-KM-Tran-Time",
	"X*km*crypto*key*id": "X-KM-Crypto-Key-Id",
	"X_km_anything":      "X-KM",
	"X_km_":              "X-KM",
	"X-Km-Tran_Token":    "X-KM-Tran-Token",
	"X-Km-A_b":           "X-KM",
}

func TestDisguises(t *testing.T) {
	for name, told := range disguises {
		h := good()
		h[name] = []string{"1"}
		t.Run(name, func(t *testing.T) { wantFault(t, h, kona.InvalidInput, told) })
	}
}

// TestDisguisesBeforeTheRest: nothing is said about a request's other headers,
// and which of two disguises is reported depends on their names alone.
func TestDisguisesBeforeTheRest(t *testing.T) {
	for range 50 {
		h := http.Header{}
		for name := range disguises {
			h[name] = []string{"1"}
		}
		wantFault(t, h, kona.InvalidInput, "X-KM-Crypto-Key-Id")
	}
}

func TestNeighboursOfDisguises(t *testing.T) {
	for _, name := range []string{"X-Km", "X_km", "X-Kmx-Token", "Km-Access-Key", "X-K-M-Token", "Xkm-Access-Key", "X_real_ip", "X-Km-Unknown"} {
		h := good()
		h[name] = []string{"1"}
		if _, err := kona.ReadHeaders(h, zones); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConnectionNamesOurs(t *testing.T) {
	for _, values := range [][]string{
		{"X-KM-Access-Key"}, {"x-km-user-aspid"}, {"close, X-KM-Tran-Token"}, {"keep-alive,x_km_tran_token"},
		{"close", "X-KM-Anything"}, {" X-KM-A ,close"}, {"x.km.tran.time"},
	} {
		h := good()
		h["Connection"] = values
		wantFault(t, h, kona.InvalidInput, "Connection")
	}
	for _, value := range []string{"close", "keep-alive, Upgrade", "", ",", "X-Kmx", "X-KM"} {
		h := good()
		h["Connection"] = []string{value}
		if _, err := kona.ReadHeaders(h, zones); err != nil {
			t.Errorf("Connection: %s: %v", value, err)
		}
	}
}

func TestCorrelationID(t *testing.T) {
	if got, ok := kona.CorrelationID(good()); !ok || got != "261123040506-0123abF" {
		t.Errorf("got %q, %t", got, ok)
	}
	for _, values := range [][]string{nil, {}, {""}, {"261123040506-0123abF", "261123040506-0123abF"}, {"261123040506-0123abg"},
		{"261123040506-0123ab\n"}, {"261123040506-0123abFF"}} {
		h := http.Header{"X-Km-Correlation-Id": values}
		if got, ok := kona.CorrelationID(h); ok || got != "" {
			t.Errorf("%q: got %q", values, got)
		}
	}
}

func TestForward(t *testing.T) {
	headers, err := kona.ReadHeaders(good(), zones)
	if err != nil {
		t.Fatal(err)
	}
	to := good()
	maps.Copy(to, http.Header{"X-Km-Unknown": {"1"}, "x-km-odd": {"1"}, "X_km_zone": {"1"}, "X-Kmx": {"stays"}, "Accept": {"stays"}})
	headers.Forward(to, "the key's own spelling")
	want := map[string]string{
		"X-KM-User-AspId": "ABCdef000000001", "X-KM-Correlation-Id": "261123040506-0123abF",
		"X-KM-Crypto-Key-Id": "the key's own spelling", "X-KM-Tran-Time": "20261123040506", "X-KM-Time-Zone": "KST",
		"X-Kmx": "stays", "Accept": "stays",
	}
	if len(to) != len(want) {
		t.Errorf("forwarded: %q", to)
	}
	for name, value := range want {
		if got := to[name]; len(got) != 1 || got[0] != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	headers.Forward(to, "")
	if _, ok := to[kona.Written(kona.HeaderKeyID)]; ok {
		t.Error("a key id that no verified key has is forwarded")
	}
}

func TestStrip(t *testing.T) {
	h := http.Header{"X-Km-A": {"1"}, "X-KM-B": {"1"}, "x-km-": {"1"}, "X_km_c": {"1"}, "X-Km": {"1"}, "Set-Cookie": {"1", "2"}}
	kona.Strip(h)
	if len(h) != 2 || len(h["Set-Cookie"]) != 2 || len(h["X-Km"]) != 1 {
		t.Errorf("left: %q", h)
	}
}
