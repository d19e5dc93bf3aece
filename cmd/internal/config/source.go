package config

import (
	"errors"
	"strings"
)

// Source names where a master key comes from. It is not the key. The zero value
// is invalid.
type Source struct {
	Kind SourceKind
	Path string // SourceFile, SourcePassphraseFile: absolute
	Name string // SourcePassphraseEnv: of the variable
}

// ErrSource reports a text that names no master key. The text is not repeated:
// it may be the secret itself.
var ErrSource = errors.New("wants file:PATH, passphrase-file:PATH or passphrase-env:NAME")

// ParseSource reads file:PATH, passphrase-file:PATH and passphrase-env:NAME.
// Relative paths are taken from dir on. Every error is an ErrSource.
func ParseSource(s, dir string) (Source, error) {
	scheme, rest, _ := strings.Cut(s, ":")
	source := Source{Kind: modeOf[SourceKind](sourceKinds, scheme)}
	switch source.Kind {
	case SourceFile, SourcePassphraseFile:
		if rest == "" || checkFile(rest) != "" {
			return Source{}, ErrSource
		}
		source.Path = within(dir, rest)
	case SourcePassphraseEnv:
		if !isVariable(rest) {
			return Source{}, ErrSource
		}
		source.Name = rest
	default:
		return Source{}, ErrSource
	}
	return source, nil
}

// String is the source as config.toml writes it.
func (s Source) String() string {
	if s.Kind == SourcePassphraseEnv {
		return s.Kind.String() + ":" + s.Name
	}
	return s.Kind.String() + ":" + s.Path
}

func isVariable(s string) bool {
	odd := func(c rune) bool { return !isLetterOrDigit(c) && c != '_' }
	return s != "" && (s[0] < '0' || s[0] > '9') && !strings.ContainsFunc(s, odd)
}

func source(dir string) kind[Source] {
	return kind[Source]{
		read: func(v any) (Source, []fault) {
			s, ok := v.(string)
			if !ok {
				return Source{}, mistyped("a string", v)
			}
			source, err := ParseSource(s, dir)
			if err != nil {
				return Source{}, faulty(err.Error())
			}
			return source, nil
		},
		show: func(s Source) any { return s.String() },
	}
}

func store(dir string) kind[Place] {
	return kind[Place]{
		read: func(v any) (Place, []fault) {
			s, ok := v.(string)
			if !ok {
				return Place{}, mistyped("a string", v)
			}
			scheme, path, _ := strings.Cut(s, ":")
			if scheme == "etcd" {
				return Place{}, []fault{{text: "etcd is not built into this version yet", hint: "use file:DIR"}}
			}
			k := modeOf[StoreKind](storeKinds, scheme)
			if k == 0 || path == "" || checkFile(path) != "" {
				return Place{}, faulty("wants file:DIR")
			}
			return Place{Kind: k, Dir: within(dir, path)}, nil
		},
		show: func(s Place) any { return s.String() },
	}
}
