package config

import (
	"errors"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// document is a file that is TOML, whatever it says.
type document struct {
	tree   map[string]any
	origin origin
}

func readDocument(file string, data []byte) (document, error) {
	var tree map[string]any
	err := toml.Unmarshal(data, &tree)
	if bad, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, column := bad.Position()
		return document{}, &Error{[]Problem{{
			File: file, Line: line, column: column,
			Text: strings.TrimPrefix(bad.Error(), "toml: "),
		}}}
	}
	if err != nil {
		return document{}, &Error{[]Problem{{File: file, Text: err.Error()}}}
	}
	return document{tree, origin{file, lines(data)}}, nil
}

// get finds what stands under a key such as "tls.acme.email".
func get(tree map[string]any, key string) (any, bool) {
	table, rest, deeper := strings.Cut(key, ".")
	v, ok := tree[table]
	if !deeper || !ok {
		return v, ok
	}
	sub, ok := v.(map[string]any)
	if !ok {
		return nil, false // a table that is none is told by report.unknown
	}
	return get(sub, rest)
}
