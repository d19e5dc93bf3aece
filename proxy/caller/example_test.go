package caller_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwe"
	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive"
	"kmproxy/proxy/caller"
	"kmproxy/proxy/kona"
)

// A service provider calls an API: the request is encrypted and signed, and the answer
// is opened.
func ExampleCaller_Call() {
	server, client := newKey(), newKey()
	platform := httptest.NewServer(answering(server, client.Public()))
	defer platform.Close()

	c := &caller.Caller{
		URL:       platform.URL,
		ASPID:     "000000000000001",
		AccessKey: "0123456-0123456789abcdef0123456789abcdef",
		Secret:    sensitive.New([]byte("issued with the access key")),
		KeyID:     "0123456789abcdef0123456789abcdef",
		Server:    server.Public(),
		Client:    client,
		HTTP:      platform.Client(),
		Now:       time.Now,
	}
	x, err := c.Call(context.Background(), "/api/v1/bankaccounts/ars/auth", []byte(`{"userId":1}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(x.Status, x.Encrypted)
	fmt.Printf("%s\n", x.Plaintext)
	// Output:
	// the platform reads {"userId":1}
	// 200 true
	// {"authNumber":"42"}
}

func newKey() jwk.Private {
	k, err := jwk.Generate(jwk.MinBits)
	if err != nil {
		log.Fatal(err)
	}
	private, err := jwk.NewPrivate(k, alg.All())
	if err != nil {
		log.Fatal(err)
	}
	return private
}

// answering is a platform that opens a request with its own key and seals its answer to
// the client's. It verifies nothing.
func answering(own jwk.Private, client jwk.Public) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		token, _ := kona.Unwrap(body)
		message, _ := jwe.Parse(token)
		plain, err := jwe.Open(own, message)
		if err != nil {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		fmt.Printf("the platform reads %s\n", plain.Bytes())
		answer, _ := kona.Wrap(nil, func(dst []byte) ([]byte, error) {
			return jwe.Seal(dst, client, alg.Preferred(), []byte(`{"authNumber":"42"}`))
		})
		kona.Set(w.Header(), kona.HeaderCorrelationID, r.Header.Get(kona.HeaderCorrelationID))
		_, _ = w.Write(answer)
	}
}
