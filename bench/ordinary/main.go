// Command ordinary is what a gateway for encrypted bodies looks like when it is
// written the ordinary way: net/http, its ReverseProxy and go-jose. It is what
// kmproxy is measured beside, and checks less than kmproxy does.
package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

func main() {
	listen, upstream := flag.String("listen", "", "address"), flag.String("upstream", "", "URL")
	cert, key := flag.String("cert", "", "PEM"), flag.String("key", "", "PEM")
	server, client := flag.String("server", "", "private key, PKCS#8 PEM; empty: bodies go through as they are"), flag.String("client", "", "public key, SPKI PEM")
	secret := flag.String("secret", "", "of the token")
	flag.Parse()
	to, err := url.Parse(*upstream)
	if err != nil {
		log.Fatal(err)
	}
	g := &gateway{secret: []byte(*secret), proxy: httputil.NewSingleHostReverseProxy(to)}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 100
	g.proxy.Transport = transport
	var handler http.Handler = g.proxy
	if *server != "" {
		g.server, g.client = parse[*rsa.PrivateKey](*server, x509.ParsePKCS8PrivateKey), parse[*rsa.PublicKey](*client, x509.ParsePKIXPublicKey)
		g.proxy.ModifyResponse = g.seal
		handler = g
	}
	log.Fatal(http.ListenAndServeTLS(*listen, *cert, *key, handler))
}

func parse[K any](file string, by func([]byte) (any, error)) K {
	text, err := os.ReadFile(file)
	if err != nil {
		log.Fatal(err)
	}
	block, _ := pem.Decode(text)
	parsed, err := by(block.Bytes)
	if err != nil {
		log.Fatal(err)
	}
	return parsed.(K)
}

type gateway struct {
	secret []byte
	server *rsa.PrivateKey
	client *rsa.PublicKey
	proxy  *httputil.ReverseProxy
}

type wrapper struct {
	EncData string `json:"encData"`
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	plain, err := g.open(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(plain)), int64(len(plain))
	g.proxy.ServeHTTP(w, r)
}

func (g *gateway) open(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(r.Header.Get("X-KM-Tran-Token"), ":")
	claimed, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	mac := hmac.New(sha256.New, g.secret)
	mac.Write(body)
	if err != nil || !hmac.Equal(mac.Sum(nil), claimed) {
		return nil, errors.New("token")
	}
	var in wrapper
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	message, err := jose.ParseEncryptedCompact(in.EncData, []jose.KeyAlgorithm{jose.RSA_OAEP_256}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		return nil, err
	}
	return message.Decrypt(g.server)
}

func (g *gateway) seal(r *http.Response) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	encrypter, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.RSA_OAEP_256, Key: g.client}, nil)
	if err != nil {
		return err
	}
	message, err := encrypter.Encrypt(body)
	if err != nil {
		return err
	}
	compact, err := message.CompactSerialize()
	if err != nil {
		return err
	}
	out, err := json.Marshal(wrapper{compact})
	if err != nil {
		return err
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(out)), int64(len(out))
	r.Header.Del("Content-Length")
	return nil
}
