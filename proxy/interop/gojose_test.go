package interop_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// goJose is a service provider that encrypts with go-jose.
type goJose struct {
	job    job
	http   *http.Client
	server *rsa.PublicKey
	client *rsa.PrivateKey
}

func runGoJose(t *testing.T, j job) report {
	t.Helper()
	g, err := newGoJose(j)
	must(t, err)
	t.Cleanup(g.http.CloseIdleConnections)
	said := report{Client: "go-jose v4"}
	for _, c := range j.Calls {
		r, err := g.exchange(t, c)
		r.Name = c.Name
		if err != nil {
			r.Error = err.Error()
		}
		said.Results = append(said.Results, r)
	}
	return said
}

func newGoJose(j job) (*goJose, error) {
	ca, err := os.ReadFile(j.CAFile)
	if err != nil {
		return nil, err
	}
	trust := x509.NewCertPool()
	trust.AppendCertsFromPEM(ca)
	g := &goJose{job: j, http: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}, ForceAttemptHTTP2: true}}}
	public, err := x509.ParsePKIXPublicKey(der(j.ServerPublicKey))
	if err != nil {
		return nil, err
	}
	private, err := x509.ParsePKCS8PrivateKey(der(j.ClientPrivateKey))
	if err != nil {
		return nil, err
	}
	g.server, g.client = public.(*rsa.PublicKey), private.(*rsa.PrivateKey)
	return g, nil
}

func der(text string) []byte {
	block, _ := pem.Decode([]byte(text))
	return block.Bytes
}

func (g *goJose) exchange(t *testing.T, c call) (result, error) {
	token, err := g.seal(c)
	if err != nil {
		return result{}, err
	}
	body := []byte(`{"encData":"` + token + `"}`)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.job.URL+c.Path, bytes.NewReader(body))
	if err != nil {
		return result{}, err
	}
	g.sign(r.Header, c, body)
	answer, err := g.http.Do(r)
	if err != nil {
		return result{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	received, err := io.ReadAll(answer.Body)
	if err != nil {
		return result{}, err
	}
	if answer.StatusCode != http.StatusOK {
		return result{}, fmt.Errorf("status %d: %s", answer.StatusCode, received)
	}
	said, err := g.open(received)
	said.Token = r.Header.Get("X-KM-Tran-Token")
	said.CorrelationID, said.KeyID = answer.Header.Get("X-KM-Correlation-Id"), answer.Header.Get("X-KM-Crypto-Key-Id")
	return said, err
}

func (g *goJose) seal(c call) (string, error) {
	to := jose.Recipient{Algorithm: jose.KeyAlgorithm(c.Alg), Key: g.server}
	encrypter, err := jose.NewEncrypter(jose.ContentEncryption(c.Enc), to, nil)
	if err != nil {
		return "", err
	}
	message, err := encrypter.Encrypt(c.Body)
	if err != nil {
		return "", err
	}
	return message.CompactSerialize()
}

// open returns what an encrypted answer says of itself, and the answer.
func (g *goJose) open(received []byte) (result, error) {
	var wrapper struct {
		EncData string `json:"encData"`
	}
	if err := json.Unmarshal(received, &wrapper); err != nil {
		return result{}, err
	}
	message, err := jose.ParseEncryptedCompact(wrapper.EncData,
		[]jose.KeyAlgorithm{jose.RSA_OAEP_256, jose.RSA_OAEP}, []jose.ContentEncryption{jose.A256GCM, jose.A128GCM})
	if err != nil {
		return result{}, err
	}
	plaintext, err := message.Decrypt(g.client)
	return result{Alg: message.Header.Algorithm, Enc: fmt.Sprint(message.Header.ExtraHeaders["enc"]), Answer: plaintext}, err
}

func (g *goJose) sign(h http.Header, c call, body []byte) {
	now := strings.Replace(time.Now().In(time.FixedZone("KST", 9*60*60)).Format("20060102150405.000"), ".", "", 1)
	mac := hmac.New(sha256.New, []byte(g.job.SecretKey))
	mac.Write(body)
	encoding := base64.RawStdEncoding
	if c.Padded {
		encoding = base64.StdEncoding
	}
	var random [4]byte
	_, _ = rand.Read(random[:])
	h.Set("Content-Type", "application/json")
	h.Set("Accept", "application/json")
	h.Set("X-KM-User-AspId", g.job.ASPID)
	h.Set("X-KM-Correlation-Id", now[2:14]+"-"+hex.EncodeToString(random[:])[1:])
	h.Set("X-KM-Access-Key", g.job.AccessKey)
	h.Set("X-KM-Crypto-Key-Id", g.job.KeyID)
	h.Set("X-KM-Tran-Token", "KMV1:"+now[:c.TimeDigits]+":"+encoding.EncodeToString(mac.Sum(nil)))
	h.Set("X-KM-Tran-Time", now[:14])
	h.Set("X-KM-Time-Zone", "KST")
}
