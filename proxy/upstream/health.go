package upstream

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Check requests a path of every server, once in every interval, until ctx ends. A
// server that does not answer with 2xx within that time gets no requests until it does.
// report is called on every change.
func (p *Pool) Check(ctx context.Context, path string, every time.Duration, report func(url string, well bool)) {
	var all sync.WaitGroup
	for _, s := range p.servers {
		all.Go(func() { p.check(ctx, s, path, every, report) })
	}
	all.Wait()
}

func (p *Pool) check(ctx context.Context, s *server, path string, every time.Duration, report func(url string, well bool)) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		well := p.ask(ctx, s, path, every)
		if ctx.Err() != nil {
			return
		}
		if s.diagnose(!well) {
			report(s.name(), well)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (p *Pool) ask(ctx context.Context, s *server, path string, most time.Duration) (well bool) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	scheme, host := s.place()
	r := &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: scheme, Host: host, Path: path, RawPath: path}, Header: http.Header{}}
	answer, err := p.c.Transport.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return false
	}
	_ = answer.Body.Close() // what it says does not matter
	return answer.StatusCode >= 200 && answer.StatusCode <= 299
}
