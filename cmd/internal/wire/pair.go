package wire

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kmproxy/cmd/internal/config"
	"kmproxy/proxy/listen"
)

// fileError reports a file that a config names and that cannot be used.
type fileError struct {
	key  string // of the config, as "tls.key_file"
	file string
	err  error
}

// Error is "key: file: what is wrong".
func (e *fileError) Error() string { return e.key + ": " + e.text() }

// Unwrap returns what is wrong.
func (e *fileError) Unwrap() error { return e.err }

// text leaves the file's name out where the error has it.
func (e *fileError) text() string {
	if text := e.err.Error(); strings.Contains(text, e.file) {
		return text
	}
	return e.file + ": " + e.err.Error()
}

// Hint is what to do about it; it may be empty.
func (e *fileError) Hint() string {
	command := "x509"
	if strings.HasSuffix(e.key, "key_file") {
		command = "pkey"
	}
	switch open, isOpen := errors.AsType[*config.ModeError](e.err); {
	case isOpen:
		return open.Hint()
	case errors.Is(e.err, listen.ErrEncryptedKey):
		return fmt.Sprintf("decrypt it with: openssl pkey -in %s -out decrypted.pem", e.file)
	case errors.Is(e.err, listen.ErrDER):
		return fmt.Sprintf("convert it with: openssl %s -inform DER -in %s -out converted.pem", command, e.file)
	}
	return ""
}

// pairFiles are a certificate and its private key, as a config names them.
type pairFiles struct{ certKey, certFile, keyKey, keyFile string }

func listenPair(c config.Config) pairFiles {
	return pairFiles{"tls.cert_file", c.TLS.CertFile, "tls.key_file", c.TLS.KeyFile}
}

func upstreamPair(c config.Config) pairFiles {
	return pairFiles{"upstream.client_cert_file", c.Upstream.ClientCertFile, "upstream.client_key_file", c.Upstream.ClientKeyFile}
}

// load reads the pair. Every error is a *fileError.
func (p pairFiles) load() (tls.Certificate, error) {
	text, err := ReadPublicFile(p.certFile)
	if err != nil {
		return tls.Certificate{}, &fileError{p.certKey, p.certFile, err}
	}
	chain, err := listen.ParseChain(text)
	if err != nil {
		return tls.Certificate{}, &fileError{p.certKey, p.certFile, err}
	}
	secret, err := ReadSecretFile(p.keyFile)
	if err != nil {
		return tls.Certificate{}, &fileError{p.keyKey, p.keyFile, err}
	}
	defer secret.Wipe()
	key, err := listen.ParseKey(secret.Expose())
	if err != nil {
		return tls.Certificate{}, &fileError{p.keyKey, p.keyFile, err}
	}
	pair, err := listen.NewPair(chain, key)
	if errors.Is(err, listen.ErrMismatch) {
		return pair, &fileError{p.keyKey, p.keyFile, fmt.Errorf("%w in %s %s", err, p.certKey, p.certFile)}
	} else if err != nil {
		return pair, &fileError{p.certKey, p.certFile, err}
	}
	return pair, nil
}

// authorities reads the certificates of a file of CAs, the first to expire first; none
// for no file. Every error is a *fileError.
func authorities(key, file string) ([]*x509.Certificate, error) {
	if file == "" {
		return nil, nil
	}
	text, err := ReadPublicFile(file)
	if err != nil {
		return nil, &fileError{key, file, err}
	}
	list, err := listen.ParseChain(text)
	if err != nil {
		return nil, &fileError{key, file, err}
	}
	slices.SortFunc(list, func(a, b *x509.Certificate) int {
		return cmp.Or(a.NotAfter.Compare(b.NotAfter), bytes.Compare(a.Raw, b.Raw))
	})
	return list, nil
}

// poolOf are the CAs to verify certificates with; nil, the system's, for none.
func poolOf(list []*x509.Certificate) *x509.CertPool {
	if len(list) == 0 {
		return nil
	}
	pool := x509.NewCertPool()
	for _, c := range list {
		pool.AddCert(c)
	}
	return pool
}
