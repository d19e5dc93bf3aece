package replay_test

import (
	"encoding/binary"
	"log/slog"
	"testing"
	"time"

	"kmproxy/proxy/replay"
)

// fill claims and records so many requests.
func (p *process) fill(b *testing.B, entries int) {
	b.Helper()
	for n := range entries {
		var i replay.ID
		binary.LittleEndian.PutUint64(i[:], uint64(n))
		c, err := p.Claim("A", i, window, time.Now())
		if err != nil {
			b.Fatal(err)
		}
		c.Record()
	}
}

func benchProcess(b *testing.B, dir string) *process {
	b.Helper()
	p := &process{replay.New(replay.Limits{Entries: 1 << 30, PerProject: 1 << 30}), dir, &logBuffer{}}
	if err := p.Keep(dir, window, time.Now, slog.New(slog.NewTextHandler(p.log, nil))); err != nil {
		b.Fatal(err)
	}
	return p
}

// BenchmarkReplayRecord prints what a claim and its record cost, and how much of the
// disk an entry takes.
func BenchmarkReplayRecord(b *testing.B) {
	p := benchProcess(b, b.TempDir())
	defer p.Close()
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		var i replay.ID
		binary.LittleEndian.PutUint64(i[:], uint64(n))
		c, err := p.Claim("A", i, window, time.Now())
		if err != nil {
			b.Fatal(err)
		}
		c.Record()
	}
	b.ReportMetric(float64(size(b, p.dir))/float64(n), "file-B/entry")
}

// BenchmarkReplayLoad prints how long a start takes with a million entries.
func BenchmarkReplayLoad(b *testing.B) {
	const entries = 1_000_000
	dir := b.TempDir()
	p := benchProcess(b, dir)
	p.fill(b, entries)
	p.Close()
	for b.Loop() {
		q := benchProcess(b, dir)
		if q.Len() != entries {
			b.Fatalf("%d of %d are there", q.Len(), entries)
		}
		b.StopTimer()
		q.Close()
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/entries, "ns/entry")
}
