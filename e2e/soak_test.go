package e2e_test

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestSoak calls at about half of what the machine can do and watches goroutines,
// descriptors and memory, which must not grow. Slopes are printed for every
// length and judged in the long form, where warming up no longer counts.
func TestSoak(t *testing.T) {
	length, every := 4*time.Second, 200*time.Millisecond
	if long() {
		length, every = 10*time.Minute, 2*time.Second
	}
	// the replay memory fills for two windows, which are to be over early
	g := newGateway(t, newUpstream(t).URL, "[admission]\nclock_skew = \"60s\"\nreplay_window = \"120s\"\n")
	p := newProvider(t, g, 1)
	g.start(t)
	p.connect(t, g.roots(t)).conns.MaxConnsPerHost = 8 // a hiccup of the machine would open more, which then rest for minutes
	rate := halfLoad(t, p)
	done := make(chan *tally)
	begun := time.Now()
	go func() {
		done <- atRate(rate, length, func(i int) error { return p.knock(t.Context(), fmt.Sprint("soak/", i)) })
	}()
	var seen series
	var calls *tally
	for calls == nil {
		select {
		case calls = <-done:
		case <-time.After(every):
			seen.add(time.Since(begun), g, t)
		}
	}
	if len(calls.failed) > 0 {
		t.Errorf("%d of %d calls failed, first: %v", len(calls.failed), len(calls.failed)+len(calls.took), calls.failed[0])
	}
	t.Logf("%d calls at %d a second for %v: p50 %v, p99 %v", len(calls.took), rate, length, calls.quantile(0.5), calls.quantile(0.99))
	for what, values := range map[string][]float64{"goroutines": seen.goroutines, "descriptors": seen.descriptors, "KiB resident": seen.memory} {
		first, last := mean(values[len(values)/4:len(values)/2]), mean(values[len(values)*3/4:])
		perMinute := slope(seen.at, values) * 60
		t.Logf("%-12s %8.0f at the start, %8.0f in the 2nd quarter, %8.0f in the last; slope %+.2f a minute", what, values[0], first, last, perMinute)
		if long() && last > first*1.1+10 {
			t.Errorf("%s grow from %.0f to %.0f", what, first, last)
		}
	}
	g.stop(t)
}

// halfLoad measures what four workers get through and takes half of it.
func halfLoad(t *testing.T, p *provider) int {
	t.Helper()
	const length = time.Second
	f := send(t, "measuring", p, 4)
	time.Sleep(length)
	return max(1, int(f.end(t)/2))
}

// series is what was seen of a gateway in the course of time.
type series struct{ at, goroutines, descriptors, memory []float64 }

func (s *series) add(at time.Duration, g *gateway, t *testing.T) {
	t.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", g.child.Process.Pid))
	if err != nil {
		t.Skipf("descriptors are read from /proc: %v", err)
	}
	s.at = append(s.at, at.Seconds())
	s.descriptors = append(s.descriptors, float64(len(files)))
	s.memory = append(s.memory, float64(g.memory(t)))
	s.goroutines = append(s.goroutines, g.metric(t, "kmproxy_goroutines"))
}

// metric reads one number of /metrics.
func (g *gateway) metric(t *testing.T, name string) float64 {
	t.Helper()
	answer, err := http.Get("http://" + g.admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }() // it is read, or the test fails
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			v, err := strconv.ParseFloat(rest, 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	t.Fatalf("/metrics has no %s", name)
	return 0
}

func mean(v []float64) (m float64) {
	for _, x := range v {
		m += x / float64(len(v))
	}
	return m
}

// slope is that of the straight line through the points of the last three
// quarters, by least squares.
func slope(x, y []float64) float64 {
	x, y = x[len(x)/4:], y[len(y)/4:]
	mx, my := mean(x), mean(y)
	var top, bottom float64
	for i := range x {
		top += (x[i] - mx) * (y[i] - my)
		bottom += (x[i] - mx) * (x[i] - mx)
	}
	return top / bottom
}
