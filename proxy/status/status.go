// Package status reports the state of a proxy to operators: whether it is alive, whether
// it is ready, and how its requests ended. It is served on the admin listener
// and shows numbers, fixed words and the reason why it is not ready.
package status

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Counters counts finished requests. The zero value is ready to use. It is safe
// for concurrent use.
type Counters struct {
	mu      sync.Mutex
	ended   map[ending]uint64
	seconds float64
	total   uint64
}

// ending is how a request ended: the error table's code, or "upstream" when the
// upstream's answer went back.
type ending struct {
	code      string
	status    int
	encrypted bool
}

// Count adds one finished request. code is one of the error table's, or empty.
func (c *Counters) Count(code string, status int, encrypted bool, took time.Duration) {
	if code == "" {
		code = "upstream"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended == nil {
		c.ended = map[ending]uint64{}
	}
	c.ended[ending{code, status, encrypted}]++
	c.total++
	c.seconds += took.Seconds()
}

// WriteTo writes the counters in the Prometheus text format, version 0.0.4.
func (c *Counters) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, c.text()) // not under the lock: a slow reader must hold up no request
	return int64(n), err
}

func (c *Counters) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var lines []string
	for e, n := range c.ended {
		lines = append(lines, fmt.Sprintf("kmproxy_requests_total{code=%q,status=\"%d\",encrypted=\"%t\"} %d\n", e.code, e.status, e.encrypted, n))
	}
	slices.Sort(lines)
	text := "# HELP kmproxy_requests_total Requests that ended, by the code they were answered with.\n# TYPE kmproxy_requests_total counter\n"
	for _, l := range lines {
		text += l
	}
	text += "# HELP kmproxy_request_seconds Time from the first header to the answer.\n# TYPE kmproxy_request_seconds summary\n"
	return text + fmt.Sprintf("kmproxy_request_seconds_sum %g\nkmproxy_request_seconds_count %d\n", c.seconds, c.total)
}

// Gauge is a number that goes up and down, or with Counter set one that only goes up.
type Gauge struct {
	Name, Help string
	Label      string // name="value" within the braces; empty: none. Gauges of one Name stand side by side
	Value      float64
	Counter    bool
}

// head returns the lines before the samples of a name.
func (g Gauge) head() string {
	kind := "gauge"
	if g.Counter {
		kind = "counter"
	}
	return fmt.Sprintf("# HELP %s %s\n# TYPE %s %s\n", g.Name, g.Help, g.Name, kind)
}

func (g Gauge) sample() string {
	name := g.Name
	if g.Label != "" {
		name += "{" + g.Label + "}"
	}
	return name + " " + strconv.FormatFloat(g.Value, 'f', -1, 64) + "\n"
}

func textOf(gauges []Gauge) string {
	var b strings.Builder
	for i, g := range gauges {
		if i == 0 || gauges[i-1].Name != g.Name {
			b.WriteString(g.head())
		}
		b.WriteString(g.sample())
	}
	return b.String()
}

// Config configures a Handler. All fields must be set.
type Config struct {
	Counters *Counters
	Gauges   func() []Gauge
	// Ready returns an error if the proxy should get no requests now. Its note, which
	// may be empty, names future trouble.
	Ready func() (note string, err error)
}

// Handler serves /healthz, /readyz and /metrics.
func Handler(c Config) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		switch note, err := c.Ready(); {
		case err != nil:
			say(w, http.StatusServiceUnavailable, err.Error())
		case note != "":
			say(w, http.StatusOK, "ok\n"+note)
		default:
			say(w, http.StatusOK, "ok")
		}
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = c.Counters.WriteTo(w)                 // an error means that the reader went away
		_, _ = io.WriteString(w, textOf(c.Gauges())) // as before
	})
	return mux
}

func say(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text+"\n") // an error means that the reader went away
}
