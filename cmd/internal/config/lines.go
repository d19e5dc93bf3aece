package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// origin says where the keys of a config stand. The zero value is a config that
// came from no file.
type origin struct {
	file  string
	lines map[string]int // from 1, by key
}

// line is where a key stands, or its table if the key is missing. If that is
// missing, too, the next of the keys is taken. It is 0 if none is there.
func (o origin) line(keys ...string) int {
	for _, key := range keys {
		for key != "" {
			if line, ok := o.lines[key]; ok {
				return line
			}
			key = key[:max(0, strings.LastIndexAny(key, ".["))]
		}
	}
	return 0
}

// maxDepth bounds how deep lines are looked up. No key of ours is that deep.
const maxDepth = 6

// finder goes through a document and notes the line of each key.
type finder struct {
	parser   unstable.Parser
	newlines []int          // their offsets
	lines    map[string]int // the first line of each key
	tables   map[string]int // how many [[headers]] of a name there were
}

// lines finds the line of each key of a document that is known to be TOML. The
// elements of lists are called key[0], key[1], and so on.
func lines(data []byte) map[string]int {
	f := finder{lines: map[string]int{}, tables: map[string]int{}}
	for i, b := range data {
		if b == '\n' {
			f.newlines = append(f.newlines, i)
		}
	}
	f.parser.Reset(data)
	table := place{}
	for f.parser.NextExpression() {
		switch n := f.parser.Expression(); n.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = f.header(n)
		case unstable.KeyValue:
			f.keyValue(table, n)
		}
	}
	return f.lines
}

// place is a key with the number of its parts.
type place struct {
	key   string
	depth int
}

func (p place) child(name string) place {
	if p.depth == 0 {
		return place{bare(name), 1}
	}
	return place{p.key + "." + bare(name), p.depth + 1}
}

func (p place) element(i int) place {
	return place{fmt.Sprintf("%s[%d]", p.key, i), p.depth + 1}
}

// bare writes a part of a key as TOML does, so that "a.b" in quotes is not the
// key b of the table a.
func bare(name string) string {
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	}
	if name == "" || strings.ContainsFunc(name, odd) {
		return strconv.Quote(name)
	}
	return name
}

// header notes a [table] or a [[table]] and returns its place.
func (f *finder) header(n *unstable.Node) place {
	p := place{}
	for it := n.Key(); it.Next() && p.depth < maxDepth; {
		p = p.child(string(it.Node().Data))
		f.note(p, it.Node())
		count := f.tables[p.key]
		if n.Kind == unstable.ArrayTable && it.IsLast() {
			f.tables[p.key]++
			p = p.element(count)
			f.note(p, it.Node())
		} else if count > 0 {
			p = p.element(count - 1)
		}
	}
	return p
}

func (f *finder) keyValue(p place, n *unstable.Node) {
	for it := n.Key(); it.Next() && p.depth < maxDepth; {
		p = p.child(string(it.Node().Data))
		f.note(p, it.Node())
	}
	f.value(p, n.Value())
}

func (f *finder) value(p place, n *unstable.Node) {
	if p.depth >= maxDepth || (n.Kind != unstable.InlineTable && n.Kind != unstable.Array) {
		return
	}
	i := 0
	for it := n.Children(); it.Next(); i++ {
		if child := it.Node(); n.Kind == unstable.InlineTable {
			f.keyValue(p, child)
		} else {
			f.note(p.element(i), child)
			f.value(p.element(i), child)
		}
	}
}

// note keeps the line of the first time that a key is seen. A list in a list
// has no position: its key is left out, and origin.line finds the outer one.
func (f *finder) note(p place, n *unstable.Node) {
	if _, seen := f.lines[p.key]; seen || n.Raw.Length == 0 {
		return
	}
	before, _ := slices.BinarySearch(f.newlines, int(n.Raw.Offset))
	f.lines[p.key] = before + 1
}
