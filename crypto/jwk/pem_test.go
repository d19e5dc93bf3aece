package jwk_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"strings"
	"testing"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive"
)

// forms returns the forms in which a text may be received.
func forms(text []byte) map[string][]byte {
	escaped := bytes.ReplaceAll(text, []byte("\n"), []byte(`\n`))
	crlf := bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
	return map[string][]byte{
		"as it is":             text,
		`\n as two characters`: escaped,
		`\r\n as four`:         bytes.ReplaceAll(text, []byte("\n"), []byte(`\r\n`)),
		"CRLF":                 crlf,
		"no final line break":  bytes.TrimSpace(text),
		`mixed line ends`:      join(escaped[:len(escaped)/2], bytes.ReplaceAll(escaped[len(escaped)/2:], []byte(`\n`), []byte("\n"))),
		"leading text":         join([]byte("Bag Attributes\n    localKeyID: 01\nsubject=CN = x\n"), text),
		"trailing text":        join(text, []byte("\nthat was the key\n")),
		"blank lines":          join([]byte("\n\n"), text, []byte("\n\n")),
	}
}

func TestPrivatePEMForms(t *testing.T) {
	k := rsaKey()
	tried := 0
	for kind, text := range map[string][]byte{
		"PKCS#8":                        pkcs8(k),
		"PKCS#1":                        pkcs1(k),
		"both halves, the private last": join(spki(&k.PublicKey), pkcs8(k)),
		"both halves":                   join(pkcs8(k), spki(&k.PublicKey)),
		"after a certificate":           join(certificate(&k.PublicKey, k), pkcs1(k)),
		"before another private key":    join(pkcs8(k), pkcs8(lowExponentKey())),
	} {
		for form, text := range forms(text) {
			tried++
			got, err := jwk.ParsePrivatePEM(text)
			if err != nil || !got.Equal(k) {
				t.Errorf("%s, %s: %v", kind, form, err)
			}
		}
	}
	if tried != 54 {
		t.Errorf("%d texts were tried", tried)
	}
}

func TestPublicPEMForms(t *testing.T) {
	k := rsaKey()
	tried := 0
	for kind, text := range map[string][]byte{
		"SPKI":                       spki(&k.PublicKey),
		"PKCS#1":                     pkcs1Public(&k.PublicKey),
		"a certificate":              certificate(&k.PublicKey, k),
		"both halves":                join(pkcs8(k), spki(&k.PublicKey)),
		"both halves, public first":  join(spki(&k.PublicKey), pkcs8(k)),
		"a private PKCS#1 before it": join(pkcs1(k), certificate(&k.PublicKey, k)),
	} {
		for form, text := range forms(text) {
			tried++
			got, err := jwk.ParsePublicPEM(text)
			if err != nil || !got.Equal(&k.PublicKey) {
				t.Errorf("%s, %s: %v", kind, form, err)
			}
		}
	}
	if tried != 54 {
		t.Errorf("%d texts were tried", tried)
	}
}

// refusal is a text, the error that it must cause, and what the error must say.
type refusal struct {
	text []byte
	is   error
	says string
}

func checkRefusals(t *testing.T, refusals map[string]refusal, parse func([]byte) error) {
	t.Helper()
	for name, r := range refusals {
		err := parse(r.text)
		if !errors.Is(err, r.is) || !strings.Contains(err.Error(), r.says) {
			t.Errorf("%s: got %q, want %q that contains %q", name, err, r.is, r.says)
		}
	}
}

func TestPrivatePEMRefusals(t *testing.T) {
	k := rsaKey()
	const misc = "rsa_oaep_misc_test.json"
	damaged := pkcs8(k)
	damaged[len(damaged)/2] = '*'
	legacy := bytes.Replace(pkcs1(k), []byte("KEY-----\n"),
		[]byte("KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n"), 1)
	checkRefusals(t, map[string]refusal{
		"nothing":               {nil, jwk.ErrPEM, "found none"},
		"no PEM":                {[]byte("hello"), jwk.ErrPEM, "found none"},
		"DER":                   {x509.MarshalPKCS1PrivateKey(k), jwk.ErrPEM, "found none"},
		"a damaged line":        {damaged, jwk.ErrPEM, "found none"},
		"only a public key":     {spki(&k.PublicKey), jwk.ErrPEM, `expected a PRIVATE KEY or RSA PRIVATE KEY block, found ["PUBLIC KEY"]`},
		"only a certificate":    {certificate(&k.PublicKey, k), jwk.ErrPEM, `found ["CERTIFICATE"]`},
		"encrypted PKCS#8":      {block("ENCRYPTED PRIVATE KEY", []byte{1}), jwk.ErrPEM, "is encrypted; decrypt it with openssl pkey"},
		"encrypted PKCS#1":      {legacy, jwk.ErrPEM, "is encrypted; decrypt it with openssl pkey"},
		"an EC key":             {pkcs8(ecKey()), jwk.ErrKey, "*ecdsa.PrivateKey is not an RSA private key"},
		"an EC key of its own":  {block("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(ecKey()))), jwk.ErrPEM, `found ["EC PRIVATE KEY"]`},
		"an Ed25519 key":        {pkcs8(edKey()), jwk.ErrKey, "ed25519.PrivateKey is not an RSA private key"},
		"an OpenSSH key":        {block("OPENSSH PRIVATE KEY", []byte{1}), jwk.ErrPEM, `found ["OPENSSH PRIVATE KEY"]`},
		"1024 bits":             {wycheproofPEM(t, misc, "1024"), jwk.ErrKey, "the RSA key has 1024 bits; it must have 2048 to 4096"},
		"1536 bits":             {wycheproofPEM(t, misc, "1536"), jwk.ErrKey, "the RSA key has 1536 bits; it must have 2048 to 4096"},
		"8192 bits":             {wycheproofPEM(t, misc, "8192"), jwk.ErrKey, "the RSA key has 8192 bits; it must have 2048 to 4096"},
		"three primes":          {wycheproofPEM(t, "rsa_three_primes_oaep_2048_sha1_mgf1sha1_test.json", "2048"), jwk.ErrKey, "the RSA key has 3 primes; it must have 2"},
		"the exponent 3":        {pkcs8(lowExponentKey()), jwk.ErrKey, "the public exponent is 3; it must be odd and between 65537"},
		"garbage in PKCS#8":     {block("PRIVATE KEY", []byte("garbage")), jwk.ErrPEM, "the private key is damaged"},
		"garbage in PKCS#1":     {block("RSA PRIVATE KEY", []byte("garbage")), jwk.ErrPEM, "the private key is damaged"},
		"PKCS#8 under PKCS#1":   {bytes.ReplaceAll(pkcs8(k), []byte("PRIVATE"), []byte("RSA PRIVATE")), jwk.ErrPEM, "its first line names another format"},
		"the first is unusable": {join(pkcs8(ecKey()), pkcs8(k)), jwk.ErrKey, "is not an RSA private key"},
	}, func(text []byte) error {
		got, err := jwk.ParsePrivatePEM(text)
		if got != nil {
			t.Errorf("a key was returned with the error %v", err)
		}
		return err
	})
}

func TestPublicPEMRefusals(t *testing.T) {
	k := rsaKey()
	checkRefusals(t, map[string]refusal{
		"nothing":               {nil, jwk.ErrPEM, "found none"},
		"only a private key":    {pkcs8(k), jwk.ErrPEM, `expected a PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE block, found ["PRIVATE KEY"]`},
		"only a private PKCS#1": {pkcs1(k), jwk.ErrPEM, `found ["RSA PRIVATE KEY"]`},
		"an EC key":             {spki(&ecKey().PublicKey), jwk.ErrKey, "*ecdsa.PublicKey is not an RSA public key"},
		"an Ed25519 key":        {spki(edKey().Public()), jwk.ErrKey, "ed25519.PublicKey is not an RSA public key"},
		"an EC certificate":     {certificate(&ecKey().PublicKey, ecKey()), jwk.ErrKey, "*ecdsa.PublicKey is not an RSA public key"},
		"the exponent 3":        {spki(&lowExponentKey().PublicKey), jwk.ErrKey, "the public exponent is 3"},
		"2047 bits":             {spki(publicOfBits(2047)), jwk.ErrKey, "the RSA key has 2047 bits; it must have 2048 to 4096"},
		"4097 bits":             {spki(publicOfBits(4097)), jwk.ErrKey, "the RSA key has 4097 bits; it must have 2048 to 4096"},
		"8192 bits":             {pkcs1Public(publicOfBits(8192)), jwk.ErrKey, "the RSA key has 8192 bits; it must have 2048 to 4096"},
		"garbage in SPKI":       {block("PUBLIC KEY", []byte("garbage")), jwk.ErrPEM, "the public key is damaged"},
		"garbage in PKCS#1":     {block("RSA PUBLIC KEY", []byte("garbage")), jwk.ErrPEM, "the public key is damaged"},
		"garbage in X.509":      {block("CERTIFICATE", []byte("garbage")), jwk.ErrPEM, "the certificate is damaged"},
		"a request for one":     {block("CERTIFICATE REQUEST", []byte{1}), jwk.ErrPEM, `found ["CERTIFICATE REQUEST"]`},
	}, func(text []byte) error {
		got, err := jwk.ParsePublicPEM(text)
		if got != nil {
			t.Errorf("a key was returned with the error %v", err)
		}
		return err
	})
}

// TestRefusalsShowNoKey checks that an error does not quote a private key: one given in
// place of a public key, and others that are refused.
func TestRefusalsShowNoKey(t *testing.T) {
	text := pkcs8(lowExponentKey())
	body := strings.Split(string(text), "\n")[2][:16]
	_, asPublic := jwk.ParsePublicPEM(text)
	_, asPrivate := jwk.ParsePrivatePEM(text)
	_, renamed := jwk.ParsePrivatePEM(bytes.ReplaceAll(text, []byte("PRIVATE"), []byte("RSA PRIVATE")))
	for _, err := range []error{asPublic, asPrivate, renamed} {
		if err == nil || strings.Contains(err.Error(), body) || strings.Contains(err.Error(), lowExponentKey().D.String()[:12]) {
			t.Errorf("got %v", err)
		}
	}
}

func TestPrivateRoundTrips(t *testing.T) {
	k := rsaKey()
	text, err := jwk.PrivatePEM(k)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := jwk.ParsePrivatePEM(text.Expose()); err != nil || !got.Equal(k) {
		t.Errorf("PEM: %v", err)
	}
	if !bytes.Equal(text.Expose(), pkcs8(k)) {
		t.Error("the PEM is not PKCS#8")
	}
	der, err := jwk.PrivateDER(k)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := jwk.ParsePrivateDER(der); err != nil || !got.Equal(k) {
		t.Errorf("DER: %v", err)
	}
	for name, bad := range map[string][]byte{"nothing": nil, "half": der.Expose()[:der.Len()/2], "PKCS#1": x509.MarshalPKCS1PrivateKey(k)} {
		if _, err := jwk.ParsePrivateDER(sensitive.New(bad)); !errors.Is(err, jwk.ErrPEM) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := jwk.ParsePrivateDER(sensitive.New(must(x509.MarshalPKCS8PrivateKey(ecKey())))); !errors.Is(err, jwk.ErrKey) {
		t.Errorf("an EC key: got %v", err)
	}
}

func TestUnencodablePrivateKey(t *testing.T) {
	empty := &rsa.PrivateKey{}
	if _, err := jwk.PrivateDER(empty); err == nil {
		t.Error("an empty key was encoded as DER")
	}
	if _, err := jwk.PrivatePEM(empty); err == nil {
		t.Error("an empty key was encoded as PEM")
	}
}

func TestPublicRoundTrip(t *testing.T) {
	pub := must(jwk.NewPublic(&rsaKey().PublicKey, alg.All()))
	text := must(pub.PEM())
	if !bytes.Equal(text, spki(&rsaKey().PublicKey)) {
		t.Error("the PEM is not SPKI")
	}
	if got, err := jwk.ParsePublicPEM(text); err != nil || !got.Equal(&rsaKey().PublicKey) {
		t.Errorf("got %v", err)
	}
}
