package jwe_test

import (
	"testing"

	"kmproxy/crypto/jwe"
)

// benchmarkBytes is about what an API's body has.
const benchmarkBytes = 1 << 10

func BenchmarkOpen(b *testing.B) {
	key := private(rsaKey())
	for _, s := range suites() {
		b.Run(s.String(), func(b *testing.B) {
			token := must(jwe.Seal(nil, key.Public(), s, make([]byte, benchmarkBytes)))
			b.SetBytes(benchmarkBytes)
			b.ReportAllocs()
			for b.Loop() {
				must(jwe.Open(key, must(jwe.Parse(token))))
			}
		})
	}
}

// BenchmarkOpenParallel is Open on all cores, as a proxy uses it.
func BenchmarkOpenParallel(b *testing.B) {
	key := private(rsaKey())
	token := must(jwe.Seal(nil, key.Public(), suites()[3], make([]byte, benchmarkBytes)))
	b.SetBytes(benchmarkBytes)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			must(jwe.Open(key, must(jwe.Parse(token))))
		}
	})
}

// BenchmarkRefuse is what a message costs whose header is not accepted.
func BenchmarkRefuse(b *testing.B) {
	token := []byte(withHeader(`{"alg":"RSA1_5","enc":"A256GCM"}`))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jwe.Parse(token); err == nil {
			b.Fatal("accepted")
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	key, content := public(rsaKey()), make([]byte, benchmarkBytes)
	for _, s := range suites() {
		b.Run(s.String(), func(b *testing.B) {
			b.SetBytes(benchmarkBytes)
			b.ReportAllocs()
			for b.Loop() {
				must(jwe.Seal(nil, key, s, content))
			}
		})
	}
}
