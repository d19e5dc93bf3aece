package wire

import (
	"context"

	"kmproxy/cmd/internal/config"
	"kmproxy/proxy"
	"kmproxy/proxy/cek"
	"kmproxy/proxy/listen"
)

// serving is what a Gateway makes of one config, and what a reload replaces as a whole:
// the next one is complete before it takes the place of the one before. Requests finish
// by the serving that they began with. Nothing in it is changed after prepare.
type serving struct {
	config       config.Config
	keys         *keyring // may be that of the one before
	handler      *proxy.Proxy
	contentKeys  *cek.Cache // nil: none are remembered
	certificates listen.Certificates
	watched      []watched // certificates whose dates are told
	end          func()    // of what follows files, and of what rests
}

// prepare builds what a reload replaces. It lasts until its end is called,
// whatever becomes of ctx.
func (l *lasting) prepare(ctx context.Context, c config.Config, k *keyring) (*serving, error) {
	files, err := watch(c, l.world)
	if err != nil {
		return nil, err
	}
	toUpstream, err := transport(c.Upstream, files, l.world.Now)
	if err != nil {
		return nil, err
	}
	contentKeys := newContentKeys(c.CEKCache)
	h, err := l.handler(c, k, toUpstream, contentKeys)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	end := func() { cancel(); toUpstream.Close() }
	certs, err := l.certificates(ctx, c, k, files)
	if err != nil {
		end()
		return nil, err
	}
	l.follow(ctx, files)
	if path := c.Upstream.HealthPath; path != "" {
		go h.Upstream().Check(ctx, path, c.Upstream.HealthInterval, l.tellUpstream)
	}
	if contentKeys != nil {
		go l.sweep(ctx, contentKeys, k.live)
	}
	return &serving{config: c, keys: k, handler: h, contentKeys: contentKeys, certificates: certs, watched: files, end: end}, nil
}
