package bench_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"
	"time"

	"kmproxy/bench/load"
)

// rounds is how often everything is measured, one thing after the other, so that what
// else the machine does meets all of them.
const rounds = 5

// BenchmarkGateways measures kmproxy beside other gateways, and writes docs/benchmarks.md
// if KMPROXY_BENCH_OUT names it from here. What counts are the ratios within one run. A part
// alone: -bench Gateways/cpu.
func BenchmarkGateways(b *testing.B) {
	for _, program := range []string{"nginx", "openssl", "taskset"} {
		if _, err := exec.LookPath(program); err != nil {
			b.Skipf("%s is missing: apt-get install nginx-light openssl util-linux", program)
		}
	}
	s, r := newStage(b), &report{}
	r.line("%s, %s, %d cores, %d rounds: %s, %s.", time.Now().Format(time.DateOnly), processor(), runtime.NumCPU(), rounds, runtime.Version(), version(b, "openssl", "version"))
	parts := []struct {
		name string
		run  func(*testing.B, *report)
	}{{"cpu", s.cpu}, {"sizes", s.sizes}, {"large", s.large}, {"latency", s.latency}, {"memory", s.memory}, {"cores", s.cores}}
	whole := 0
	for _, part := range parts {
		b.Run(part.name, func(b *testing.B) {
			part.run(b, r)
			b.ReportMetric(0, "ns/op")
			whole++
		})
	}
	b.Logf("\n%s", r)
	if file := os.Getenv("KMPROXY_BENCH_OUT"); file != "" && whole == len(parts) {
		r.writeTo(b, file)
	}
}

// cpu: what a request costs the gateway's process, beside what nobody can do without.
func (s *stage) cpu(b *testing.B, r *report) {
	const workers, calls = 4, 400
	km, kmRelease := s.kmproxy(b, pureGo, false), s.kmproxy(b, release, false)
	keeper, keeperRelease := s.kmproxy(b, pureGo, true), s.kmproxy(b, release, true)
	ordinary, ordinaryRelease, bare, nginx := s.ordinary(b, pureGo, true), s.ordinary(b, release, true), s.ordinary(b, pureGo, false), s.nginx(b)
	for _, size := range []int{20, 1024} {
		of := func(g gateway, k kind) line { return s.line(b, g, work{kind: k, size: size}, workers) }
		lines := []line{of(kmRelease, fresh), of(keeperRelease, reused), of(kmRelease, plain), of(kmRelease, junk), of(km, fresh), of(keeper, reused), of(km, plain), of(km, junk),
			of(ordinary, fresh), of(ordinaryRelease, fresh), of(bare, plain), of(nginx, plain)}
		for _, l := range lines {
			l.measured(b, workers, calls) // warm
		}
		const kmF, kmR, kmJ, goF, goJ, ord, ordR, rp, hop = 0, 1, 3, 4, 7, 8, 9, 10, 11
		cost, ref := make([][]float64, len(lines)), references{}
		for range rounds {
			ref.measure(b, s.dir, lines[hop])
			for i, l := range lines {
				_, per := l.measured(b, workers, calls)
				cost[i] = append(cost[i], per)
			}
		}
		r.table("CPU for one request, "+bytesText(size)+" of plaintext", "µs, median", "min", "max")
		ref.rows(r)
		for i, l := range lines {
			r.spread(l.name+": "+string(l.kind), "%.0f", cost[i])
		}
		r.table("ratio, "+bytesText(size)+" of plaintext", "wanted", "measured")
		r.ratio("release : OpenSSL's RSA + nginx's hop", "≤ 1.15", cost[kmF], sum(ref.openssl, cost[hop]))
		r.ratio("release : RSA of OpenSSL without AVX-512 + nginx's hop", "", cost[kmF], sum(ref.opensslPlain, cost[hop]))
		r.ratio("release : BoringCrypto's RSA + nginx's hop", "", cost[kmF], sum(ref.boring, cost[hop]))
		r.ratio("release : that RSA while calls go through nginx + nginx's hop", "", cost[kmF], sum(ref.beside, cost[hop]))
		r.ratio("release : ordinary gateway, Go", "≤ 0.55", cost[kmF], cost[ord])
		r.ratio("release : ordinary gateway, BoringCrypto", "≤ 0.75", cost[kmF], cost[ordR])
		r.ratio("Go : Go's RSA + nginx's hop", "≤ 1.15", cost[goF], sum(ref.goRSA, cost[hop]))
		r.ratio("Go : ordinary gateway, Go", "", cost[goF], cost[ord])
		r.ratio("release, reused keys : bare ReverseProxy", "< 1", cost[kmR], cost[rp])
		r.ratio("release, junk : encrypted", "≤ 0.25", cost[kmJ], cost[kmF])
		r.ratio("Go, junk : encrypted", "≤ 0.25", cost[goJ], cost[goF])
		r.line("| the token of junk alone, µs: release, Go | ≤ 10 | %.1f, %.1f |", primitive(b, s.dir, release, "token", strconv.Itoa(size)), primitive(b, s.dir, pureGo, "token", strconv.Itoa(size)))
	}
}

// sizes: how cost, throughput and latency go with the size of a request, over both
// versions of HTTP.
func (s *stage) sizes(b *testing.B, r *report) {
	const workers = 4
	km := s.kmproxy(b, release, false)
	r.table("release", "CPU µs", "min", "max", "calls/s", "p50 ms", "p99 ms", "p99.9 ms")
	for _, k := range []kind{plain, fresh} {
		for _, size := range []int{20, 1 << 10, 16 << 10, 256 << 10, 1 << 20} {
			w, calls := work{kind: k, size: size}, 400*1024/max(size/16, 1024)
			for i, l := range []line{s.line(b, km, w, workers), s.line2(b, km, w)} {
				protocol := []string{"HTTP/1.1", "HTTP/2"}[i]
				l.measured(b, workers, calls/4+1) // warm
				var per, each, p50, p99, p999 []float64
				for range rounds {
					result, cost := l.measured(b, workers, calls)
					per, each = append(per, cost), append(each, result.PerSecond())
					p50, p99, p999 = append(p50, ms(result.Percentile(0.5))), append(p99, ms(result.Percentile(0.99))), append(p999, ms(result.Percentile(0.999)))
				}
				r.line("| %s, %s, %s | %.0f | %.0f | %.0f | %.0f | %.1f | %.1f | %.1f |", k, bytesText(size), protocol,
					median(per), least(per), most(per), median(each), median(p50), median(p99), median(p999))
			}
		}
	}
}

// large: what a body of 1 MiB costs beyond a hop that moves the same bytes and the RSA
// operation, beside what its cryptography alone does at memory speed.
func (s *stage) large(b *testing.B, r *report) {
	const size, sealed = 1 << 20, 1<<20*4/3 + 500
	r.table("1 MiB", "wanted", "measured")
	for _, by := range []toolchain{release, pureGo} {
		km, hop := s.kmproxy(b, by, false), s.ordinary(b, by, false)
		s.largeOne(b, r, large{string(by) + ", request", by, "message", km, work{kind: fresh, size: size}, hop, work{kind: plain, size: sealed}})
		s.largeOne(b, r, large{string(by) + ", answer", by, "answer", km, work{kind: fresh, size: 20, answer: size}, hop, work{kind: plain, size: 20, answer: sealed}})
	}
}

// large is a large body through kmproxy, beside as many bytes through a bare hop.
type large struct {
	name      string
	by        toolchain
	primitive string // of bench/primitives, of 1 MiB
	km        gateway
	work      work
	hop       gateway
	bytes     work
}

func (s *stage) largeOne(b *testing.B, r *report, l large) {
	const workers, calls = 2, 30
	lines := []line{s.line(b, l.km, l.work, workers), s.line(b, l.hop, l.bytes, workers)}
	var cost [2][]float64
	var rsa, primitives []float64
	for range rounds {
		rsa = append(rsa, primitive(b, s.dir, l.by, "rsa"))
		primitives = append(primitives, primitive(b, s.dir, l.by, l.primitive, "1048576"))
		for i, l := range lines {
			l.measured(b, workers, 4) // warm
			_, per := l.measured(b, workers, calls)
			cost[i] = append(cost[i], per)
		}
	}
	r.line("| %s: whole, µs | | %.0f |", l.name, median(cost[0]))
	r.line("| %s: bare ReverseProxy with as many bytes, µs | | %.0f |", l.name, median(cost[1]))
	r.line("| %s: its cryptography but RSA, µs | | %.0f |", l.name, median(primitives))
	r.ratio(l.name+": (whole − RSA − bare ReverseProxy) : that cryptography", "≤ 1.3", minus(cost[0], rsa, cost[1]), primitives)
}

// latency: how long calls take where the proxy has half of what it can do to do; and
// through nginx at the same rate, which is what the machine itself does to calls.
func (s *stage) latency(b *testing.B, r *report) {
	const workers, calls = 16, 1500
	hop := s.line(b, s.nginx(b), work{kind: plain, size: 1024}, workers)
	r.table("encrypted, 1 KiB, at half load", "wanted", "measured")
	for _, by := range []toolchain{release, pureGo} {
		l := s.line(b, s.kmproxy(b, by, false), work{kind: fresh, size: 1024}, workers)
		full, _ := l.measured(b, workers, calls)
		var rsa, nginx, p50, p99, p999 []float64
		for range rounds {
			nginx = append(nginx, ms(hop.open(b, workers, calls, full.PerSecond()/2).Percentile(0.99)))
			rsa = append(rsa, primitive(b, s.dir, by, "rsa")/1e3)
			result := l.open(b, workers, calls, full.PerSecond()/2)
			p50, p99, p999 = append(p50, ms(result.Percentile(0.5))), append(p99, ms(result.Percentile(0.99))), append(p999, ms(result.Percentile(0.999)))
		}
		r.line("| %s: calls a second, all that it can do | | %.0f |", by, full.PerSecond())
		r.line("| %s: p50, p99, p99.9 at half of that, ms | | %.1f, %.1f, %.1f |", by, median(p50), median(p99), median(p999))
		r.line("| %s: p99 of nginx's plain hop at the same rate, ms | | %.1f |", by, median(nginx))
		r.ratio(string(by)+": p99 : RSA operation", "≤ 3", p99, rsa)
		r.ratio(string(by)+": p99 : RSA operation + p99 of nginx", "", p99, sum(rsa, nginx))
	}
}

// memory: what connections take that have made calls, a few at a time or all at once.
func (s *stage) memory(b *testing.B, r *report) {
	const conns, each, few = 1000, 5, 4
	r.table("memory of the release, wanted: ≤ 100 with connections", "MiB, median", "min", "max")
	for _, once := range []int{few, conns} {
		var none, all []float64
		for range rounds {
			km := s.kmproxy(b, release, false)
			none = append(none, residentMiB(b, km.pid))
			l := s.line(b, km, work{kind: fresh, size: 1024}, conns)
			fatal(b, load.Closed(once, conns*each, func(worker, i int) error { return l.call(worker+i/once*once%conns, i) }).Err)
			all = append(all, residentMiB(b, km.pid))
		}
		r.spread("without a connection", "%.0f", none)
		r.spread(fmt.Sprintf("with %d connections and %d calls, %d at once", conns, conns*each, once), "%.0f", all)
	}
}

// cores: what a second core brings. The one who makes the calls needs some of it too,
// so that what counts is how many requests a second of the proxy's CPU does.
func (s *stage) cores(b *testing.B, r *report) {
	const workers, calls = 8, 1500
	one := s.line(b, s.kmproxy(b, release, false, "env", "GOMAXPROCS=1", "taskset", "-c", "0"), work{kind: fresh, size: 1024}, workers)
	two := s.line(b, s.kmproxy(b, release, false, "env", "GOMAXPROCS=2", "taskset", "-c", "0,1"), work{kind: fresh, size: 1024}, workers)
	var each, perCPU [2][]float64
	for range rounds {
		for i, l := range []line{one, two} {
			result, cost := l.measured(b, workers, calls)
			each[i] = append(each[i], result.PerSecond())
			perCPU[i] = append(perCPU[i], float64(i+1)*1e6/cost)
		}
	}
	r.table("two cores : one core, release", "wanted", "measured")
	r.ratio("throughput, with the load generator and the upstream on the same two cores", "≥ 1.8", each[1], each[0])
	r.ratio("throughput for the CPU time that the proxy got", "≥ 1.8", perCPU[1], perCPU[0])
}
