package wire

import (
	"fmt"

	"kmproxy/proxy/status"
)

// handshakes are the failures of the public listener, by reason.
func (g *Gateway) handshakes() []status.Gauge {
	var all []status.Gauge
	for _, f := range g.failures.All() {
		all = append(all, status.Gauge{Name: "kmproxy_tls_handshake_failures_total", Help: "TLS handshakes on the public listener that failed, by reason.",
			Label: fmt.Sprintf("reason=%q", f.Reason), Value: float64(f.Count), Counter: true})
	}
	return all
}
