package disktest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"

	"kmproxy/keys/internal/disk"
)

// State is a disk with what it has durably and what a power cut may still take: each
// write to a file and each change of the names in a folder, for itself.
type State struct {
	path    string
	root    *node
	pending []effect
}

// node is a file or a folder. Only one of content and names is used.
type node struct {
	folder  bool
	content []byte           // durable
	durable map[string]*node // names
	now     map[string]*node // names, as programs see them
}

func newNode() *node {
	return &node{folder: true, durable: map[string]*node{}, now: map[string]*node{}}
}

// effect is one thing that is kept or lost whole.
type effect struct {
	of    *node
	names map[string]*node // of a folder; nil: the name goes
	at    int64
	data  []byte
	cut   bool // the file gets the size at
}

// Pending is how many things a power cut may keep or lose.
func (s *State) Pending() int { return len(s.pending) }

func (s *State) apply(op disk.Op) {
	if op.Act == disk.SyncFolder {
		s.settle(s.find(op.Path))
		return
	}
	folder, name := s.find(filepath.Dir(op.Path)), filepath.Base(op.Path)
	switch op.Act {
	case disk.Create:
		s.rename(folder, map[string]*node{name: {}})
	case disk.MakeFolder:
		s.rename(folder, map[string]*node{name: newNode()})
	case disk.Remove:
		if folder.now[name] != nil {
			s.rename(folder, map[string]*node{name: nil})
		}
	case disk.Rename:
		s.rename(folder, map[string]*node{name: nil, filepath.Base(op.To): folder.now[name]})
	case disk.Write:
		s.write(folder.now[name], op)
	case disk.Truncate:
		s.pending = append(s.pending, effect{of: folder.now[name], at: op.At, cut: true})
	case disk.Sync:
		s.settle(folder.now[name])
	}
}

// find follows the names that programs see.
func (s *State) find(path string) *node {
	n := s.root
	rest, err := filepath.Rel(s.path, path)
	for _, name := range strings.Split(rest, string(filepath.Separator)) {
		if name != "." && n != nil {
			n = n.now[name]
		}
	}
	if n == nil || err != nil || strings.HasPrefix(rest, "..") {
		panic("disktest: a change of " + path + ", which is not a folder in " + s.path)
	}
	return n
}

func (s *State) rename(folder *node, names map[string]*node) {
	e := effect{of: folder, names: names}
	e.name(folder.now)
	s.pending = append(s.pending, e)
}

// write comes to the disk in parts, in any order, as its pages do.
func (s *State) write(file *node, op disk.Op) {
	third := len(op.Data)/3 + 1
	for from := 0; from < len(op.Data); from += third {
		to := min(from+third, len(op.Data))
		s.pending = append(s.pending, effect{of: file, at: op.At + int64(from), data: op.Data[from:to]})
	}
}

// settle makes durable what is pending of one file or folder.
func (s *State) settle(of *node) {
	var others []effect
	for _, e := range s.pending {
		switch {
		case e.of != of:
			others = append(others, e)
		case of.folder:
			e.name(of.durable)
		default:
			of.content = e.change(of.content)
		}
	}
	s.pending = others
}

func (e effect) name(names map[string]*node) {
	for name, to := range e.names {
		if to == nil {
			delete(names, name)
		} else {
			names[name] = to
		}
	}
}

func (e effect) change(content []byte) []byte {
	size := e.at + int64(len(e.data))
	if !e.cut {
		size = max(size, int64(len(content)))
	}
	changed := make([]byte, size) // what was never written reads as zeros
	copy(changed, content)
	copy(changed[e.at:], e.data)
	return changed
}

// Leave makes in dir what a power cut leaves that keeps these of the pending things.
func (s *State) Leave(dir string, keep func(i int) bool) error {
	var kept []effect
	for i, e := range s.pending {
		if keep(i) {
			kept = append(kept, e)
		}
	}
	return leave(dir, s.root, kept)
}

func leave(path string, n *node, kept []effect) error {
	names, content := map[string]*node{}, bytes.Clone(n.content)
	for name, to := range n.durable {
		names[name] = to
	}
	for _, e := range kept {
		switch {
		case e.of != n:
		case n.folder:
			e.name(names)
		default:
			content = e.change(content)
		}
	}
	if !n.folder {
		return os.WriteFile(path, content, 0o600)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	for name, child := range names {
		if err := leave(filepath.Join(path, name), child, kept); err != nil {
			return err
		}
	}
	return nil
}
