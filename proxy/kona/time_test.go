package kona_test

import (
	"math"
	"testing"
	"time"

	"kmproxy/proxy/kona"
)

// TestWithin tries both times on both sides of the window, its very edges included.
func TestWithin(t *testing.T) {
	now := time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC)
	const skew = 5 * time.Minute
	offsets := map[time.Duration]bool{
		0: true, skew: true, -skew: true, skew - 1: true, -skew + 1: true,
		skew + 1: false, -skew - 1: false, time.Hour: false, -time.Hour: false, math.MaxInt64: false, math.MinInt64: false,
	}
	for sent, sentOK := range offsets {
		for token, tokenOK := range offsets {
			h := kona.Headers{SentAt: now.Add(sent), TokenAt: now.Add(token)}
			if got := h.Within(now, skew); got != (sentOK && tokenOK) {
				t.Errorf("sent %v, token %v off: within is %t", sent, token, got)
			}
		}
	}
	if (kona.Headers{}).Within(now, skew) {
		t.Error("no times at all are within the window")
	}
}

// TestZonesMoveTimes: the same digits are nine hours apart in two zones.
func TestZonesMoveTimes(t *testing.T) {
	read := func(zone string) kona.Headers {
		h := good()
		h["X-Km-Time-Zone"] = []string{zone}
		out, err := kona.ReadHeaders(h, zones)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	utc, kst := read("UTC"), read("KST")
	if utc.SentAt.Sub(kst.SentAt) != 9*time.Hour || utc.TokenAt.Sub(kst.TokenAt) != 9*time.Hour {
		t.Errorf("sent %v apart, token %v", utc.SentAt.Sub(kst.SentAt), utc.TokenAt.Sub(kst.TokenAt))
	}
	if !kst.Within(kst.SentAt, time.Second) || utc.Within(kst.SentAt, time.Hour) {
		t.Error("a time is not taken in its own zone")
	}
}

func TestMilliseconds(t *testing.T) {
	h := good()
	h["X-Km-Tran-Time"] = []string{"20261123040506007"}
	h["X-Km-Time-Zone"] = []string{"UTC"}
	out, err := kona.ReadHeaders(h, zones)
	if want := time.Date(2026, 11, 23, 4, 5, 6, 7_000_000, time.UTC); err != nil || !out.SentAt.Equal(want) {
		t.Errorf("got %v, %v, want %v", out.SentAt, err, want)
	}
}
