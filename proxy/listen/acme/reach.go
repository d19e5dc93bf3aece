package acme

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"time"
)

// How long an ACME server may take to answer, and how often it is asked whether
// it is there.
const (
	answerTime  = 10 * time.Second
	firstWait   = time.Second
	longestWait = time.Minute
)

// reach waits until the ACME server answers, and reports whether it did before ctx
// ended. The first attempt of certmagic that fails costs a minute, and a machine that
// has just started often has no network yet; this request costs nothing.
func (m *Manager) reach(ctx context.Context, name string) bool {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: m.c.Roots, MinVersion: tls.VersionTLS12}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: answerTime}
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		err := ask(ctx, client, m.issuer.CA)
		if err == nil || ctx.Err() != nil {
			return err == nil
		}
		m.c.Log.Error("the ACME server cannot be reached: it is tried again", "hostname", name, "again_in", wait.String(), "error", err)
		m.fails(name, true)
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
		}
	}
}

// ask fails if the server does not answer. The content of the answer does not matter.
func ask(ctx context.Context, client *http.Client, directory string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, directory, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10) // so that the connection ends in order
	return answer.Body.Close()
}
