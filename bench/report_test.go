package bench_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// report is the tables of one run, as docs/benchmarks.md has them.
type report struct{ strings.Builder }

func (r *report) line(format string, args ...any) { fmt.Fprintf(r, format+"\n", args...) }

// table begins a table; its first column is text, the others are numbers.
func (r *report) table(columns ...string) {
	r.line("")
	r.line("| %s |", strings.Join(columns, " | "))
	r.line("| ---%s |", strings.Repeat(" | ---:", len(columns)-1))
}

// spread writes a row: median, least and greatest of the rounds.
func (r *report) spread(name, format string, v []float64) {
	f := "| %s | " + format + " | " + format + " | " + format + " |"
	r.line(f, name, median(v), slices.Min(v), slices.Max(v))
}

// ratio writes how two things that were measured in the same rounds compare, beside
// what is wanted of it.
func (r *report) ratio(name, wanted string, of, to []float64) {
	r.line("| %s | %s | %s |", name, wanted, ratios(of, to))
}

func ratios(of, to []float64) string {
	each := make([]float64, len(of))
	for i := range of {
		each[i] = of[i] / to[i]
	}
	return fmt.Sprintf("%.2f (%.2f to %.2f)", median(each), slices.Min(each), slices.Max(each))
}

// sum adds what was measured in the same rounds.
func sum(all ...[]float64) []float64 {
	out := slices.Clone(all[0])
	for _, v := range all[1:] {
		for i := range out {
			out[i] += v[i]
		}
	}
	return out
}

// minus takes away what was measured in the same rounds.
func minus(from []float64, all ...[]float64) []float64 {
	out := slices.Clone(from)
	for _, v := range all {
		for i := range out {
			out[i] -= v[i]
		}
	}
	return out
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

const (
	measuredFrom = "<!-- measured: make bench writes from here -->"
	measuredTo   = "<!-- to here -->"
)

// writeTo puts the tables between the marks of a file.
func (r *report) writeTo(b *testing.B, file string) {
	text, err := os.ReadFile(file)
	fatal(b, err)
	before, rest, begun := strings.Cut(string(text), measuredFrom)
	_, after, ended := strings.Cut(rest, measuredTo)
	if !begun || !ended {
		b.Fatalf("%s has no marks to write between", file)
	}
	fatal(b, os.WriteFile(file, []byte(before+measuredFrom+"\n"+r.String()+"\n"+measuredTo+after), 0o644))
}
