package keys_test

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive/sensitivetest"
	"kmproxy/keys"
)

// secretIn tells in which form a text shows a secret, or any 12 bytes of it.
func secretIn(text, secret []byte) string {
	lower := bytes.ToLower(text)
	for from := 0; from+12 <= len(secret); from++ {
		part := secret[from : from+12] // encodes without a remainder, wherever base64 begins
		for form, found := range map[string]bool{
			"raw":       bytes.Contains(text, part),
			"hex":       bytes.Contains(lower, []byte(hex.EncodeToString(part))),
			"base64":    bytes.Contains(text, []byte(base64.StdEncoding.EncodeToString(part))),
			"base64url": bytes.Contains(text, []byte(base64.URLEncoding.EncodeToString(part))),
			"numbers":   bytes.Contains(text, []byte(strings.ReplaceAll(strings.Trim(fmt.Sprint(part), "[]"), " ", ","))),
		} {
			if found {
				return fmt.Sprintf("%s, from byte %d", form, from)
			}
		}
	}
	return ""
}

// privateHalfIn looks for the private numbers; the modulus is public and stands in
// every encoding of the private half too.
func privateHalfIn(text []byte, k *rsa.PrivateKey) string {
	for name, number := range map[string][]byte{
		"d": k.D.Bytes()[:64], "p": k.Primes[0].Bytes()[:64], "q": k.Primes[1].Bytes()[:64], "dp": k.Precomputed.Dp.Bytes()[:64],
	} {
		if form := secretIn(text, number); form != "" {
			return name + ": " + form
		}
	}
	if bytes.Contains(text, []byte("PRIVATE KEY")) {
		return "a PEM frame"
	}
	return ""
}

// TestTheSearchFinds proves that the search can find something.
func TestTheSearchFinds(t *testing.T) {
	k := serverKey(0)
	der := must(jwk.PrivateDER(k)).Expose()
	for name, text := range map[string][]byte{
		"DER": der, "PEM": must(jwk.PrivatePEM(k)).Expose(), "hex": []byte(hex.EncodeToString(der)), "upper hex": fmt.Appendf(nil, "%X", der),
		"base64": []byte(base64.StdEncoding.EncodeToString(der)), "base64url": []byte(base64.RawURLEncoding.EncodeToString(der)),
		"base64 from byte 1": []byte(base64.StdEncoding.EncodeToString(der[1:])), "base64 from byte 2": []byte(base64.StdEncoding.EncodeToString(der[2:])),
		"JSON bytes": must(json.Marshal(der)), "a big number": []byte(hex.EncodeToString(k.D.Bytes())),
	} {
		if privateHalfIn(text, k) == "" {
			t.Errorf("%s: the private half was not found", name)
		}
	}
	if form := privateHalfIn([]byte(serverPEM(0)), k); form != "" {
		t.Errorf("found in the public half: %s", form)
	}
}

func TestRecordsShowNoSecret(t *testing.T) {
	o := newOffice(t)
	made := o.addProject(t, alice)
	brought := must(o.CreateProject(t.Context(), operator, keys.NewProject{ASPID: bob, Secret: secret("a secret of their own")}))
	o.addKey(t, alice, 0, 0)
	o.addKey(t, bob, 1, 0)
	must(o.SuspendProject(t.Context(), operator, alice))
	entries := o.load(t).Entries
	if len(entries) != 9 { // two projects, five audit entries, their key, the seal
		t.Fatalf("%d entries", len(entries))
	}
	for name, e := range entries {
		for _, number := range []int{0, 1} {
			if form := privateHalfIn(e.Value, serverKey(number)); form != "" {
				t.Errorf("%s has the private half of key %d: %s", name, number, form)
			}
		}
		for _, issued := range []keys.Issued{made, brought} {
			if form := secretIn(e.Value, issued.Secret.Expose()); form != "" {
				t.Errorf("%s has the secret of %s: %s", name, issued.ASPID, form)
			}
		}
	}
}

// TestNothingPrintsASecret puts what holds one through every printer; what the
// package's own types hold inside is tried in check_test.go.
func TestNothingPrintsASecret(t *testing.T) {
	text := []byte("\x02a secret\xfdof their own")
	o := newOffice(t)
	n := keys.NewProject{ASPID: alice, Secret: secret(string(text))}
	issued := must(o.CreateProject(t.Context(), operator, n))
	o.addKey(t, alice, 0, 0)
	ring := must(keys.NewRing(o.load(t), masterKey(1), nil))
	member, _ := ring.ByAccessKey(issued.AccessKey, morning)
	key, _ := member.Active()
	must(member.Secret(issued.AccessKey)) // opens what is opened at first use
	must(key.Server())
	sensitivetest.Hidden(t, text, n)
	sensitivetest.Hidden(t, text, issued)
	sensitivetest.Hidden(t, text, member)
	sensitivetest.Hidden(t, must(jwk.PrivateDER(serverKey(0))).Expose(), key)
	sensitivetest.Hidden(t, serverKey(0).D.Bytes(), key)
}
