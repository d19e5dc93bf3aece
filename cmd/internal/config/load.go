package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxFileBytes bounds a config file. Ours has some 4 KiB.
const maxFileBytes = 1 << 20

// Load reads and checks a config file. Mistakes in it are an *Error; any other
// error is about reading it.
func Load(path string) (Config, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return Config{}, fmt.Errorf("reading the config: %w", err)
	}
	data, err := ReadFile(abs, maxFileBytes)
	if err != nil {
		return Config{}, fmt.Errorf("reading the config: %w", err)
	}
	return parse(path, data, filepath.Dir(abs))
}

// ReadFile returns what a file holds. One that holds more than most bytes is an error,
// and no more than that is read of it, so that a file that is no text of an operator's
// costs little memory and time.
func ReadFile(path string, most int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	return ReadMost(f, path, most)
}

// ReadMost is ReadFile for what is open already; name is what errors call it.
func ReadMost(from io.Reader, name string, most int) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(from, int64(most)+1))
	if err != nil {
		return nil, err
	}
	if len(data) > most {
		return nil, fmt.Errorf("%s is longer than %s", name, showSize(int64(most)))
	}
	return data, nil
}

// parse checks the content of a config file. file names it in problems; dir is
// the absolute folder that relative paths are taken from. Files are not looked
// at, see Config.CheckFiles. Every error is an *Error.
func parse(file string, data []byte, dir string) (Config, error) {
	doc, err := readDocument(file, data)
	if err != nil {
		return Config{}, err
	}
	c := Default(dir)
	c.origin = doc.origin
	r := &report{origin: doc.origin}
	all := settings(&c, dir)
	r.take("", doc.tree, all)
	r.unknown("", doc.tree, append(keysOf(all), "route"))
	c.Routes = r.routes(doc.tree, c.Routes)
	r.judge(rules(c))
	if err := r.err(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// take reads the settings that the file has. prefix stands before their keys.
func (r *report) take(prefix string, tree map[string]any, all []setting) {
	for _, s := range all {
		v, found := get(tree, s.key)
		if !found {
			continue
		}
		for _, f := range s.read(v) {
			r.add(prefix+s.key+f.at, f.text, f.hint)
		}
	}
}
