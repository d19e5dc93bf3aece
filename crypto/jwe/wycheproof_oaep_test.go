package jwe_test

import (
	"bytes"
	"errors"
	"io/fs"
	"testing"

	"github.com/c2sp/wycheproof"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwe"
	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive"
)

type oaepFile struct {
	TestGroups []oaepGroup `json:"testGroups"`
}

type oaepGroup struct {
	SHA, MGFSHA     string
	PrivateKeyPkcs8 hexBytes
	Tests           []oaepVector
}

type oaepVector struct {
	ID             int `json:"tcId"`
	Msg, CT, Label hexBytes
	Result         string
}

// alg is the algorithm that has the group's hashes (RFC 7518 §4.3: the same one
// for OAEP and MGF1), if one of ours has.
func (g oaepGroup) alg() (alg.Key, bool) {
	k, ok := map[string]alg.Key{"SHA-1": alg.RSAOAEP, "SHA-256": alg.RSAOAEP256}[g.SHA]
	return k, ok && g.SHA == g.MGFSHA
}

// TestWycheproofOAEP runs the vectors of both hashes through what decrypts content
// keys. A label must be refused.
func TestWycheproofOAEP(t *testing.T) {
	names, err := fs.Glob(wycheproof.TestVectors, "rsa_*oaep_*_test.json")
	if err != nil {
		t.Fatal(err)
	}
	atLeast(t, "files", len(names), 25)
	var ran, labelled, otherHash, otherKey int
	for _, name := range names {
		var file oaepFile
		vectors(t, name, &file)
		for _, g := range file.TestGroups {
			a, ok := g.alg()
			if !ok {
				otherHash += len(g.Tests)
				continue
			}
			key, err := jwk.ParsePrivateDER(sensitive.New(g.PrivateKeyPkcs8))
			if errors.Is(err, jwk.ErrKey) {
				otherKey += len(g.Tests)
				continue
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for _, v := range g.Tests {
				ran++
				if len(v.Label) > 0 {
					labelled++
				}
				v.check(t, name, private(key), a)
			}
		}
	}
	t.Logf("%d left out: a hash that no alg of ours has; %d: a key that is refused, too short, too long or of three primes", otherHash, otherKey)
	atLeast(t, "of these with a label, all refused", labelled, 47)
	atLeast(t, "OAEP vectors", ran, 181)
}

// check runs a vector alone and as an encrypted content key.
func (v oaepVector) check(t *testing.T, name string, key jwk.Private, a alg.Key) {
	t.Helper()
	good := v.Result == "valid" && len(v.Label) == 0
	opened, flaw := jwe.DecryptKey(key, a, v.CT)
	if good != (flaw == "") || good && !bytes.Equal(opened, v.Msg) {
		t.Errorf("%s %d: %q, but it is %s, with a label of %d", name, v.ID, flaw, v.Result, len(v.Label))
	}
	e := alg.A256GCM
	cek, flaw := jwe.Unwrap(key, alg.Suite{Key: a, Enc: e}, v.CT)
	fits := good && len(v.Msg) == e.KeyBytes()
	if len(cek) != e.KeyBytes() || fits != (flaw == "") || fits != bytes.Equal(cek, v.Msg) {
		t.Errorf("%s %d: as a key of %s: %q, %d bytes", name, v.ID, e, flaw, len(cek))
	}
}
