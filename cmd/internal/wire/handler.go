package wire

import (
	"runtime"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/crypto/alg"
	"kmproxy/keys"
	"kmproxy/proxy"
	"kmproxy/proxy/cek"
	"kmproxy/proxy/kona"
	"kmproxy/proxy/origin"
	"kmproxy/proxy/queue"
	"kmproxy/proxy/upstream"
)

const (
	queueTime    = 2 * time.Second
	queuePerCore = 1024 // in line for a private-key operation: about a second of work
)

// newQueue lets as many private-key operations run at once as there are cores.
func newQueue() *queue.Queue {
	cores := runtime.GOMAXPROCS(0)
	return queue.New(queue.Config{Places: cores, Depth: queuePerCore * cores, Wait: queueTime})
}

// handler is the request path that a config describes.
func (l *lasting) handler(c config.Config, k *keyring, toUpstream *upstream.Client, contentKeys *cek.Cache) (*proxy.Proxy, error) {
	return proxy.New(proxy.Config{
		Routes:         routes(c.Routes),
		BasePath:       c.Listen.BasePath,
		Ring:           k.live.Ring,
		Stale:          func() bool { return k.tooStale(c) },
		Upstreams:      c.Upstream.Servers(),
		Transport:      toUpstream,
		UpstreamTime:   c.Upstream.Timeout,
		Zones:          kona.Zones(c.Admission.TimeZones),
		ClockSkew:      c.Admission.ClockSkew,
		Replay:         l.remember(c.Admission.ReplayWindow),
		ReplayWindow:   c.Admission.ReplayWindow,
		MaxBodyBytes:   c.Admission.MaxBodyBytes,
		MaxAnswerBytes: c.Upstream.MaxAnswerBytes,
		Queue:          l.queue,
		Budget:         l.budget,
		Calls:          l.calls,
		ContentKeys:    contentKeys,
		Trusted:        origin.Trusted(c.Listen.TrustedProxies),
		Now:            l.world.Now,
		Log:            l.log,
		Observe: func(o proxy.Outcome) {
			l.counters.Count(o.Code, o.Status, o.Encrypted, o.Took)
		},
		Used: func(id keys.ASPID, key keys.KeyID, d keys.Direction, s alg.Suite) {
			l.usage.Count(id, key, d, s, l.world.Now())
		},
	})
}

func routes(list []config.Route) []proxy.Route {
	modes := map[config.BodyMode]proxy.BodyMode{config.BodyEither: proxy.BodyEither,
		config.BodyEncrypted: proxy.BodyEncrypted, config.BodyPlain: proxy.BodyPlain}
	var out []proxy.Route
	for _, r := range list {
		out = append(out, proxy.Route{Method: r.Method, Path: r.Path, Request: modes[r.Request],
			Response: modes[r.Response], PadBytes: r.PadBytes, EncryptErrors: r.EncryptErrors, ForwardHeaders: r.ForwardHeaders})
	}
	return out
}
