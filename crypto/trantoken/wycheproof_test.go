package trantoken_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"testing"

	"github.com/c2sp/wycheproof"

	"kmproxy/crypto/sensitive"
	"kmproxy/crypto/trantoken"
)

// TestWycheproofHMAC uses the vectors that have a MAC of the token's length as the MAC
// of a token.
func TestWycheproofHMAC(t *testing.T) {
	const tagBits, wanted = 256, 87
	raw, err := fs.ReadFile(wycheproof.TestVectors, "hmac_sha256_test.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		TestGroups []struct {
			TagSize int `json:"tagSize"`
			Tests   []struct {
				ID            int `json:"tcId"`
				Key, Msg, Tag string
				Result        string
			}
		} `json:"testGroups"`
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	ran, truncated := 0, 0
	for _, g := range file.TestGroups {
		if g.TagSize != tagBits {
			truncated += len(g.Tests)
			continue
		}
		for _, v := range g.Tests {
			ran++
			tok, err := trantoken.Parse("KMV1:20260102030405678:" + base64.StdEncoding.EncodeToString(unhex(t, v.Tag)))
			if err != nil {
				t.Errorf("vector %d: %v", v.ID, err)
				continue
			}
			if got := tok.Verify(sensitive.New(unhex(t, v.Key)), unhex(t, v.Msg)); got != (v.Result == "valid") {
				t.Errorf("vector %d: verified is %v, but the vector is %s", v.ID, got, v.Result)
			}
		}
	}
	t.Logf("%d vectors ran; %d were left out, because a token's MAC is not truncated", ran, truncated)
	if ran < wanted {
		t.Errorf("only %d vectors ran, want at least %d", ran, wanted)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
