package wire

import (
	"fmt"
	"runtime"
	"slices"

	"kmproxy/proxy/status"
)

// gauges are what the proxy holds now.
func (g *Gateway) gauges() []status.Gauge {
	k, contentKeys := g.current.Load().keys, g.current.Load().contentKeys
	own := []status.Gauge{
		{Name: "kmproxy_goroutines", Help: "Goroutines.", Value: float64(runtime.NumGoroutine())},
		{Name: "kmproxy_body_bytes", Help: "Bytes that connections, requests and bodies reserve, of limits.body_memory.", Value: float64(g.budget.Held())},
		{Name: "kmproxy_upstream_calls", Help: "Calls that are pending at the upstream, of limits.upstream_calls.", Value: float64(g.calls.Pending())},
		{Name: "kmproxy_private_key_queue", Help: "Requests that wait for a private-key operation.", Value: float64(g.queue.Waiting())},
		{Name: "kmproxy_replay_requests", Help: "Requests in the replay memory, of limits.replay_requests.", Value: float64(g.replay.Len())},
		{Name: "kmproxy_replay_unwritten", Help: "Records of the replay memory that are in no file: a restart would forget them.", Value: float64(g.replay.Unwritten())},
		{Name: "kmproxy_content_keys", Help: "Content keys that are remembered, of cek_cache.entries.", Value: float64(contentKeys.Held())},
		{Name: "kmproxy_content_key_uses", Help: "Messages that were opened under one of them since the config was read.", Value: float64(contentKeys.Hits())},
		{Name: "kmproxy_projects", Help: "Projects in the keys that are served.", Value: float64(g.Projects())},
		{Name: "kmproxy_store_revision", Help: "Revision of the store that is served.", Value: float64(k.live.Ring().Revision())},
		{Name: "kmproxy_store_newest_revision", Help: "Highest revision that the store was seen to have.", Value: float64(k.live.Newest())},
		{Name: "kmproxy_store_stale_seconds", Help: "Seconds since the store could last be followed; 0 while it is.", Value: k.stale().Seconds()},
		{Name: "kmproxy_log_lines_dropped_total", Help: "Log lines that were dropped because the log's reader did not take them.", Value: float64(g.world.logDrops()), Counter: true},
	}
	return slices.Concat(own, g.handshakes(), g.certificateGauges())
}

// handshakes are the failures of the public listener, by reason.
func (l *lasting) handshakes() []status.Gauge {
	var all []status.Gauge
	for _, f := range l.failures.All() {
		all = append(all, status.Gauge{Name: "kmproxy_tls_handshake_failures_total", Help: "TLS handshakes on the public listener that failed, by reason.",
			Label: fmt.Sprintf("reason=%q", f.Reason), Value: float64(f.Count), Counter: true})
	}
	return all
}
