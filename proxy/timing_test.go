package proxy_test

import (
	"bytes"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"kmproxy/proxy"
	"kmproxy/proxy/proxytest"
)

// mostT is how far apart the means of two samples of the same may lie, in
// standard errors: dudect's threshold (Reparaz et al., DATE 2017).
const mostT = 4.5

// timed are failures to decrypt that an attacker would like to tell apart: what
// OAEP makes of a guess (Manger, CRYPTO 2001), and everything else.
var timed = []string{"random encrypted key", "encrypted key past the modulus", "encrypted key's first byte", "encrypted key's last byte",
	"wrapped as RSA1_5", "sealed to the client's key", "SHA-1 under SHA-256's name", "MGF1 with SHA-1", "16 bytes of key for A256GCM",
	"IV's first byte", "ciphertext's first byte", "tag of 12 bytes"}

// reference is the failure that all are compared with: OAEP is content, and the
// content is not authentic.
const reference = "tag's last byte"

// TestTiming times whole requests that fail to decrypt, each kind as often as the
// others and in an order by chance, and compares their means by Welch's t-test.
// With KMPROXY_TIMING set, it takes 20,000 samples of each and fails where a kind
// shows; else a few, which are only told: machines that do other work show all kinds
// of things.
func TestTiming(t *testing.T) {
	samples := 20
	judged := os.Getenv("KMPROXY_TIMING") != ""
	if judged {
		samples = 20_000
	}
	w := newWorld(t, func(c *proxy.Config) {
		c.Log = slog.New(slog.NewJSONHandler(io.Discard, nil))
	})
	kinds := append([]string{reference}, timed...)
	requests := make([][]*request, len(kinds))
	flaws := bodyFlaws()
	for k, name := range kinds {
		f, known := flaws[name]
		if !known {
			t.Fatalf("no flaw is called %q", name)
		}
		f.plaintext = plaintext
		for range 16 {
			r := sealedRequest(w)
			sealed(f)(w, r)
			requests[k] = append(requests[k], r)
		}
	}
	took := sample(t, w, requests, samples)
	worst := 0.0
	for k, name := range kinds[1:] {
		value := greatestT(took[0], took[k+1])
		worst = max(worst, value)
		t.Logf("%-32s median %7.1f µs, that of the reference %7.1f; t = %5.2f", name, quantile(took[k+1], 0.5), quantile(took[0], 0.5), value)
		if judged && value > mostT {
			t.Errorf("%s can be told from %s by its time", name, reference)
		}
	}
	t.Logf("%d samples of each kind; the greatest t is %.2f", samples, worst)
}

// sample times every kind so many times, in microseconds.
func sample(t *testing.T, w *world, requests [][]*request, samples int) [][]float64 {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // it runs between the samples
	took := make([][]float64, len(requests))
	for i := range samples {
		if i%50 == 0 {
			runtime.GC()
		}
		for _, k := range rand.Perm(len(requests)) {
			r := requests[k][rand.IntN(len(requests[k]))]
			r.at = time.Now()
			r.retoken()
			in, out := r.handled(), httptest.NewRecorder()
			began := time.Now()
			w.Handler.ServeHTTP(out, in)
			took[k] = append(took[k], float64(time.Since(began).Nanoseconds())/1000)
			if out.Code != http.StatusBadRequest || !bytes.Contains(out.Body.Bytes(), []byte("900_004")) {
				t.Fatalf("kind %d is answered %d %s", k, out.Code, out.Body)
			}
		}
	}
	return took
}

// handled is the request as a handler gets it.
func (r *request) handled() *http.Request {
	in := httptest.NewRequest(r.method, proxytest.ARSPath, bytes.NewReader(r.body))
	for _, f := range r.fields {
		in.Header.Set(f.name, f.value)
	}
	return in
}

// greatestT is Welch's t of two samples, the greatest of those with all values
// and with the slowest cut off at several places: what the machine does beside
// is in the slowest.
func greatestT(a, b []float64) (greatest float64) {
	all := slices.Sorted(slices.Values(slices.Concat(a, b)))
	for _, share := range []float64{1, 0.95, 0.9, 0.75, 0.5} {
		limit := all[int(share*float64(len(all)-1))]
		greatest = max(greatest, math.Abs(welch(below(a, limit), below(b, limit))))
	}
	return greatest
}

func below(values []float64, limit float64) (out []float64) {
	for _, v := range values {
		if v <= limit {
			out = append(out, v)
		}
	}
	return out
}

func welch(a, b []float64) float64 {
	ma, va := meanAndVariance(a)
	mb, vb := meanAndVariance(b)
	return (ma - mb) / math.Sqrt(va/float64(len(a))+vb/float64(len(b)))
}

func meanAndVariance(values []float64) (mean, variance float64) {
	n := float64(len(values))
	for _, v := range values {
		mean += v / n
	}
	for _, v := range values {
		variance += (v - mean) * (v - mean) / (n - 1)
	}
	return mean, variance
}

func quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(q*float64(len(sorted)-1))]
}

// TestTimingShows: the comparison detects a difference of a hundredth in noise that is
// ten times as great.
func TestTimingShows(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	noisy := func(mean float64) (out []float64) {
		for range 20_000 {
			out = append(out, mean+random.NormFloat64()*100+random.ExpFloat64()*20)
		}
		return out
	}
	same, other := greatestT(noisy(1000), noisy(1000)), greatestT(noisy(1000), noisy(1010))
	if same > mostT || other < mostT {
		t.Errorf("t is %.2f for the same and %.2f for others", same, other)
	}
}
