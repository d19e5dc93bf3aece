package jwe_test

import (
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"testing"

	"github.com/c2sp/wycheproof"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwe"
	"kmproxy/crypto/jwk"
)

// hexBytes are bytes that vectors spell in hex.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// vectors reads a file of the module.
func vectors(t *testing.T, name string, into any) {
	t.Helper()
	raw, err := fs.ReadFile(wycheproof.TestVectors, name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// atLeast notices vectors that have vanished.
func atLeast(t *testing.T, what string, ran, wanted int) {
	t.Helper()
	t.Logf("%s: %d", what, ran)
	if ran < wanted {
		t.Errorf("%s: only %d, there were %d", what, ran, wanted)
	}
}

type jweFile struct {
	TestGroups []jweGroup `json:"testGroups"`
}

type jweGroup struct {
	Private privateJWK
	Tests   []struct {
		ID     int             `json:"tcId"`
		JWE    json.RawMessage // text, or an object in JSON serialization
		PT     hexBytes
		Result string
	}
}

// key is the group's key if it is an RSA key, bound to the alg it is meant for
// where that is one of ours, or else the package's own.
func (g jweGroup) key(t *testing.T) jwk.Private {
	if g.Private.Kty != "RSA" {
		return private(rsaKey())
	}
	keys, encs := alg.All().Names()
	if _, err := alg.ParseKey(g.Private.Alg); err == nil {
		keys = []string{g.Private.Alg}
	}
	return must(jwk.NewPrivate(g.Private.rsa(t), must(alg.ParseSet(keys, encs))))
}

// TestWycheproofJWE gives every vector its right verdict: those under our suites
// their own, all others refused before the key is used. Each suite of the table
// must have been opened.
func TestWycheproofJWE(t *testing.T) {
	ours, foreign, opened := 0, 0, map[alg.Suite]int{}
	for _, name := range []string{"json_web_encryption_test.json", "json_web_crypto_test.json"} {
		var file jweFile
		vectors(t, name, &file)
		for _, g := range file.TestGroups {
			key := g.key(t)
			for _, v := range g.Tests {
				if v.JWE == nil {
					continue // a signature
				}
				token := []byte(v.JWE)
				var text string
				if json.Unmarshal(v.JWE, &text) == nil {
					token = []byte(text)
				}
				m, err := jwe.Parse(token)
				if err != nil {
					foreign++
					if known(v.Result, token) {
						t.Errorf("%s %d: refused: %s", name, v.ID, jwe.Reason(err))
					}
					continue
				}
				ours++
				got, err := jwe.Open(key, m)
				switch {
				case (err == nil) != (v.Result == "valid"):
					t.Errorf("%s %d: %v (%s), but it is %s", name, v.ID, err, jwe.Reason(err), v.Result)
				case err == nil && string(got.Bytes()) != string(v.PT):
					t.Errorf("%s %d: opened to something else", name, v.ID)
				case err == nil:
					opened[m.Suite()]++
				}
			}
		}
	}
	atLeast(t, "vectors under our suites", ours, 6)
	atLeast(t, "vectors refused by their header or form", foreign, 167)
	for _, s := range suites() {
		atLeast(t, "opened with "+s.String(), opened[s], 1)
	}
}

// known tells whether a vector is a valid one under a suite of ours.
func known(result string, token []byte) bool {
	var header struct{ Alg, Enc string }
	for i, b := range token {
		if b == '.' {
			_ = json.Unmarshal(unb64(string(token[:i])), &header)
			break
		}
	}
	_, badAlg := alg.ParseKey(header.Alg)
	_, badEnc := alg.ParseEnc(header.Enc)
	return result == "valid" && badAlg == nil && badEnc == nil
}

// TestWycheproofGCM runs the vectors of the parameters that JWE has (RFC 7518
// §5.3) through the GCM that opens messages.
func TestWycheproofGCM(t *testing.T) {
	var file struct {
		TestGroups []struct {
			IVSize, KeySize, TagSize int
			Tests                    []struct {
				ID                         int `json:"tcId"`
				Key, IV, AAD, Msg, CT, Tag hexBytes
				Result                     string
			}
		} `json:"testGroups"`
	}
	vectors(t, "aes_gcm_test.json", &file)
	ran, skipped := 0, 0
	for _, g := range file.TestGroups {
		if g.IVSize != 96 || g.TagSize != 128 || g.KeySize != 128 && g.KeySize != 256 {
			skipped += len(g.Tests)
			continue
		}
		for _, v := range g.Tests {
			ran++
			got, authentic := jwe.OpenGCM(nil, v.Key, v.IV, append(v.CT, v.Tag...), v.AAD)
			if authentic != (v.Result == "valid") || authentic && string(got) != string(v.Msg) || !authentic && got != nil {
				t.Errorf("vector %d: authentic %v, but it is %s", v.ID, authentic, v.Result)
			}
		}
	}
	t.Logf("%d left out: their IV is not of 96 bits or their key of 192", skipped)
	atLeast(t, "AES-GCM vectors", ran, 133)
}
