package manage_test

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"kmproxy/keys/ring"

	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive/sensitivetest"
	"kmproxy/keys/keystest"
	"kmproxy/keys/manage"
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
	k := keystest.ServerKey(0)
	der := keystest.Must(jwk.PrivateDER(k)).Expose()
	for name, text := range map[string][]byte{
		"DER": der, "PEM": keystest.Must(jwk.PrivatePEM(k)).Expose(), "hex": []byte(hex.EncodeToString(der)), "upper hex": fmt.Appendf(nil, "%X", der),
		"base64": []byte(base64.StdEncoding.EncodeToString(der)), "base64url": []byte(base64.RawURLEncoding.EncodeToString(der)),
		"base64 from byte 1": []byte(base64.StdEncoding.EncodeToString(der[1:])), "base64 from byte 2": []byte(base64.StdEncoding.EncodeToString(der[2:])),
		"JSON bytes": keystest.Must(json.Marshal(der)), "a big number": []byte(hex.EncodeToString(k.D.Bytes())),
	} {
		if privateHalfIn(text, k) == "" {
			t.Errorf("%s: the private half was not found", name)
		}
	}
	if form := privateHalfIn([]byte(keystest.ServerPEM(0)), k); form != "" {
		t.Errorf("found in the public half: %s", form)
	}
}

func TestRecordsShowNoSecret(t *testing.T) {
	o := keystest.NewOffice(t)
	made := o.AddProject(t, keystest.Alice)
	brought := keystest.Must(o.CreateProject(t.Context(), keystest.Operator, manage.NewProject{ASPID: keystest.Bob, Secret: secret("a secret of their own")}))
	o.AddKey(t, keystest.Alice, 0, 0)
	o.AddKey(t, keystest.Bob, 1, 0)
	keystest.Must(o.SuspendProject(t.Context(), keystest.Operator, keystest.Alice))
	entries := o.Load(t).Entries
	if len(entries) != 9 { // two projects, five audit entries, their key, the seal
		t.Fatalf("%d entries", len(entries))
	}
	for name, e := range entries {
		for _, number := range []int{0, 1} {
			if form := privateHalfIn(e.Value, keystest.ServerKey(number)); form != "" {
				t.Errorf("%s has the private half of key %d: %s", name, number, form)
			}
		}
		for _, issued := range []manage.Issued{made, brought} {
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
	o := keystest.NewOffice(t)
	n := manage.NewProject{ASPID: keystest.Alice, Secret: secret(string(text))}
	issued := keystest.Must(o.CreateProject(t.Context(), keystest.Operator, n))
	o.AddKey(t, keystest.Alice, 0, 0)
	ring := keystest.Must(ring.New(o.Load(t), keystest.MasterKey(1), nil))
	member, _ := ring.ByAccessKey(issued.AccessKey, keystest.Morning)
	key, _ := member.Active()
	keystest.Must(member.Secret(issued.AccessKey)) // opens what is opened at first use
	keystest.Must(key.Server())
	sensitivetest.Hidden(t, text, n)
	sensitivetest.Hidden(t, text, issued)
	sensitivetest.Hidden(t, text, member)
	sensitivetest.Hidden(t, keystest.Must(jwk.PrivateDER(keystest.ServerKey(0))).Expose(), key)
	sensitivetest.Hidden(t, keystest.ServerKey(0).D.Bytes(), key)
}
