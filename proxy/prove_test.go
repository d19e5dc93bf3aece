package proxy_test

import (
	"testing"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwk"
	"kmproxy/proxy"
	"kmproxy/proxy/proxytest"
)

func TestProve(t *testing.T) {
	server, client := proxytest.NewRSA(t), proxytest.NewRSA(t)
	private, err := jwk.NewPrivate(server, alg.All())
	if err != nil {
		t.Fatal(err)
	}
	public, err := jwk.NewPublic(&client.PublicKey, alg.All())
	if err != nil {
		t.Fatal(err)
	}
	if err := proxy.Prove(private, public); err != nil {
		t.Errorf("a good key: %v", err)
	}
	mixed := *server
	mixed.PublicKey = client.PublicKey // opens nothing that is sealed to its public half
	wrong, err := jwk.NewPrivate(&mixed, alg.All())
	if err == nil {
		err = proxy.Prove(wrong, public)
	}
	if err == nil {
		t.Error("a pair whose halves do not belong together was proven")
	}
}
