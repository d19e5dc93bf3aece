package jwe_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"testing"
	"time"

	"kmproxy/crypto/jwe"
)

// failures are messages whose header is accepted and which do not open, with what
// the operator is told.
func failures(content []byte) map[string]failure {
	out := map[string]failure{}
	for _, more := range []func([]byte) map[string]failure{lengthFailures, keyFailures, oaepFailures, contentFailures} {
		maps.Copy(out, more(content))
	}
	return out
}

type failure struct{ token, reason string }

// changed is an honest message of which one part is replaced.
func changed(content []byte, part int, by func(raw []byte) []byte) string {
	parts := forgery{content: content}.parts(rsaKey())
	parts[part] = b64(by(unb64(parts[part])))
	return joined(parts)
}

// lengthFailures have parts of lengths that the algorithms do not have (RFC 7518
// §5.3: an IV of 96 bits, a tag of 128; jose2go#42 and CVE-2023-37464).
func lengthFailures(content []byte) map[string]failure {
	out := map[string]failure{}
	for _, n := range []int{0, 1, 8, 11, 13, 16, 64, 1 << 10} {
		out[fmt.Sprintf("an IV of %d bytes", n)] = failure{changed(content, 2, func([]byte) []byte { return make([]byte, n) }), "the IV"}
	}
	for _, n := range []int{0, 1, 4, 12, 15} {
		out[fmt.Sprintf("the tag's first %d bytes", n)] = failure{changed(content, 4, func(b []byte) []byte { return b[:n] }), "the tag"}
	}
	for _, n := range []int{1, 16, 1 << 10} {
		out[fmt.Sprintf("%d bytes behind the tag", n)] = failure{changed(content, 4, func(b []byte) []byte { return append(b, make([]byte, n)...) }), "the tag"}
	}
	return out
}

// keyFailures have encrypted keys that are none for this modulus (RFC 8017
// §7.1.2 step 1b, §5.1.2 step 1).
func keyFailures(content []byte) map[string]failure {
	const notUnder = "not of the modulus's length, or not below it"
	with := func(by func([]byte) []byte) string { return changed(content, 1, by) }
	n := rsaKey().N
	filled := func(x *big.Int) string { return with(func([]byte) []byte { return x.FillBytes(make([]byte, 256)) }) }
	return map[string]failure{
		"no encrypted key":            {with(func([]byte) []byte { return nil }), notUnder},
		"an encrypted key of a byte":  {with(func(b []byte) []byte { return b[:1] }), notUnder},
		"an encrypted key cut short":  {with(func(b []byte) []byte { return b[:255] }), notUnder},
		"cut at its beginning":        {with(func(b []byte) []byte { return b[1:] }), notUnder},
		"a byte behind it":            {with(func(b []byte) []byte { return append(b, 0) }), notUnder},
		"a zero before it":            {with(func(b []byte) []byte { return append([]byte{0}, b...) }), notUnder},
		"an encrypted key twice":      {with(func(b []byte) []byte { return append(b, b...) }), notUnder},
		"one longer than any key":     {with(func(b []byte) []byte { return make([]byte, 513) }), "longer than that of any"},
		"one of a hundred kilobytes":  {with(func(b []byte) []byte { return make([]byte, 100<<10) }), "longer than that of any"},
		"the modulus":                 {filled(n), notUnder},
		"one more than the modulus":   {filled(new(big.Int).Add(n, big.NewInt(1))), notUnder},
		"all bits set":                {with(func(b []byte) []byte { return bytes.Repeat([]byte{0xff}, 256) }), notUnder},
		"the encrypted key unreduced": {with(func(b []byte) []byte { return unreduced(b, n) }), notUnder},
		"0":                           {filled(new(big.Int)), "does not unwrap"},
		"1":                           {filled(big.NewInt(1)), "does not unwrap"},
		"one less than the modulus":   {filled(new(big.Int).Sub(n, big.NewInt(1))), "does not unwrap"},
		"a flipped bit":               {with(func(b []byte) []byte { b[255] ^= 1; return b }), "does not unwrap"},
		"another message's key":       {with(func([]byte) []byte { return unb64(forgery{}.parts(rsaKey())[1]) }), "tag does not match"},
	}
}

// unreduced is the same number plus the modulus, if that fits, or else the
// modulus, which then is a failure of the same kind.
func unreduced(b []byte, n *big.Int) []byte {
	sum := new(big.Int).Add(new(big.Int).SetBytes(b), n)
	if sum.BitLen() > 8*len(b) {
		sum = n
	}
	return sum.FillBytes(make([]byte, len(b)))
}

// oaepFailures are keys wrapped otherwise than alg says (RFC 7518 §4.3), or of a
// length that enc does not have (RFC 7516 §5.2 step 9).
func oaepFailures(content []byte) map[string]failure {
	const a128 = `{"enc":"A128GCM","alg":"RSA-OAEP-256"}`
	const withSHA1 = `{"enc":"A256GCM","alg":"RSA-OAEP"}`
	forge := func(f forgery) string { f.content = content; return f.token(rsaKey()) }
	sha := func(oaep, mgf crypto.Hash) *rsa.OAEPOptions { return &rsa.OAEPOptions{Hash: oaep, MGFHash: mgf} }
	out := map[string]failure{
		"another key's message":    {forgery{content: content}.token(otherKey()), ""}, // its number may be too great for ours
		"SHA-1 for SHA-256":        {forge(forgery{oaep: sha(crypto.SHA1, crypto.SHA1)}), "another hash"},
		"MGF1 with SHA-1":          {forge(forgery{oaep: sha(crypto.SHA256, crypto.SHA1)}), "another hash"},
		"only MGF1 with SHA-256":   {forge(forgery{oaep: sha(crypto.SHA1, crypto.SHA256)}), "another hash"},
		"SHA-256 for SHA-1":        {forge(forgery{header: withSHA1}), "another hash"},
		"SHA-1 and an MGF1 of 256": {forge(forgery{header: withSHA1, oaep: sha(crypto.SHA1, crypto.SHA256)}), "another hash"},
		"SHA-512":                  {forge(forgery{oaep: sha(crypto.SHA512, crypto.SHA512)}), "another hash"},
		"a label":                  {forge(forgery{oaep: &rsa.OAEPOptions{Hash: crypto.SHA256, Label: []byte("l")}}), "does not unwrap"},
		"32 bytes under A128GCM":   {forge(forgery{header: a128, cek: random(32)}), "length that enc demands"},
		"16 bytes under A256GCM":   {forge(forgery{cek: random(16)}), "length that enc demands"},
		"24 bytes":                 {forge(forgery{cek: random(24)}), "length that enc demands"},
	}
	for _, n := range []int{0, 1, 15, 17, 31, 33, 64} {
		for header, size := range map[string]int{a128: 16, honestHeader: 32} {
			key := random(64)[:size] // the attacker may hope that it is cut, or filled with zeros
			wrapped := append(slices.Clone(key[:min(n, size)]), make([]byte, max(0, n-size))...)
			copy(key[min(n, size):], make([]byte, size))
			out[fmt.Sprintf("%d bytes for %d", n, size)] = failure{
				forge(forgery{header: header, cek: wrapped, key: key}), "length that enc demands"}
		}
	}
	return out
}

// contentFailures are messages whose content key unwraps and whose content is not
// what was sealed (RFC 7516 §5.2 step 17).
func contentFailures(content []byte) map[string]failure {
	const says = "tag does not match"
	flip := func(i int) func([]byte) []byte {
		return func(b []byte) []byte { b[(i+len(b))%len(b)] ^= 0x80; return b }
	}
	return map[string]failure{
		"the content's first bit":   {changed(content, 3, flip(0)), says},
		"the content's last byte":   {changed(content, 3, flip(-1)), says},
		"content cut short":         {changed(content, 3, func(b []byte) []byte { return b[:len(b)-1] }), says},
		"no content":                {changed(content, 3, func([]byte) []byte { return nil }), says},
		"a byte more":               {changed(content, 3, func(b []byte) []byte { return append(b, 0) }), says},
		"the tag's first bit":       {changed(content, 4, flip(0)), says},
		"the tag's last byte":       {changed(content, 4, flip(-1)), says},
		"a tag of zeros":            {changed(content, 4, func([]byte) []byte { return make([]byte, 16) }), says},
		"the IV's first bit":        {changed(content, 2, flip(0)), says},
		"an IV of zeros":            {changed(content, 2, func([]byte) []byte { return make([]byte, 12) }), says},
		"content under another key": {forgery{content: content, key: random(32)}.token(rsaKey()), says},
	}
}

// TestOneFailure: whatever is wrong behind the header, the error is the same, and
// the key is used exactly once (RFC 7516 §11.4, §11.5; Manger, CRYPTO 2001). Only
// Reason knows more.
func TestOneFailure(t *testing.T) {
	all := failures([]byte("some content"))
	if len(all) < 60 {
		t.Fatalf("only %d failures", len(all))
	}
	texts := map[string]string{}
	for name, f := range all {
		c := &counter{key: rsaKey()}
		m, err := jwe.Parse([]byte(f.token))
		if err != nil {
			t.Errorf("%s: refused before it cost anything: %s", name, jwe.Reason(err))
			continue
		}
		got, err := jwe.Open(private(c), m)
		if n := c.ops.Load(); n != 1 {
			t.Errorf("%s: %d private operations", name, n)
		}
		if got != (jwe.Plaintext{}) {
			t.Errorf("%s: a plaintext came with the error", name)
		}
		refuse(t, name, err, f.reason)
		texts[fmt.Sprintf("%v|%+v|%#v|%s|%q|%x|%d", err, err, err, err, err, err, err)] = name
		if reflect.TypeOf(err) != reflect.TypeOf(errorOf(t)) || errors.Unwrap(err) != nil {
			t.Errorf("%s: an error of another type: %T", name, err)
		}
	}
	if len(texts) != 1 {
		t.Errorf("the failures can be told apart by their text: %q", texts)
	}
}

// errorOf is the error of a message that is refused for its header.
func errorOf(t *testing.T) error {
	t.Helper()
	_, err := jwe.Parse(nil)
	refuse(t, "nothing", err, "five parts")
	return err
}

// TestReasonIsForTheOperator: it names the suite, so that a mix-up of hashes can
// be seen, and is empty for what is not a failure of ours.
func TestReasonIsForTheOperator(t *testing.T) {
	f := failures([]byte("some content"))["SHA-1 for SHA-256"]
	_, err := open(private(rsaKey()), f.token)
	for _, says := range []string{"under RSA-OAEP-256+A256GCM", "RSA-OAEP: SHA-1 for both", "another key"} {
		refuse(t, "SHA-1 for SHA-256", err, says)
	}
	refuse(t, "wrapped", errors.Unwrap(fmt.Errorf("a request: %w", err)), "another hash")
	if got := jwe.Reason(fmt.Errorf("a request: %w", err)); got != jwe.Reason(err) {
		t.Errorf("in a wrapped error the reason is %q", got)
	}
	for _, err := range []error{nil, errors.New("else"), jwe.ErrOpen} {
		if got := jwe.Reason(err); got != "" {
			t.Errorf("%v: the reason is %q", err, got)
		}
	}
}

// TestOneCost compares what failures cost on a message of a megabyte: each must
// decrypt the content, with a random key if need be. That this happened is seen
// by the memory it takes, which is counted, and by the time, which is only told.
func TestOneCost(t *testing.T) {
	all := failures(make([]byte, 1<<20))
	delete(all, "no content") // which costs nothing to decrypt, and shows it
	cost := func(name string) (bytes uint64, least time.Duration) {
		m := must(jwe.Parse([]byte(all[name].token)))
		least = time.Hour
		bytes = bytesAllocated(func() {
			began := time.Now()
			if _, err := jwe.Open(private(rsaKey()), m); err == nil {
				t.Errorf("%s: opened", name)
			}
			least = min(least, time.Since(began))
		})
		return bytes, least
	}
	const usual = "a tag of zeros"
	wanted, reference := cost(usual)
	fastest, slowest := reference, reference
	for name := range all {
		got, took := cost(name)
		if diff := max(got, wanted) - min(got, wanted); diff > 16<<10 {
			t.Errorf("%s: %d bytes were allocated, for %s %d", name, got, usual, wanted)
		}
		fastest, slowest = min(fastest, took), max(slowest, took)
	}
	t.Logf("%d failures: %v for %s; the fastest %v, the slowest %v", len(all), reference, usual, fastest, slowest)
}
