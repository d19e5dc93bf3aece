package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// kind is how one type of value stands in the file.
type kind[T any] struct {
	read func(v any) (T, []fault) // v is what TOML made of it
	show func(T) any              // a string, int64, bool, []string or map[string]string
}

// fault is what is wrong with a value.
type fault struct {
	at   string // where in the value: "", or as "[1]" or ".KST"
	text string
	hint string
}

func faulty(text string) []fault { return []fault{{text: text}} }

// mistyped says what a value should be and what it is.
func mistyped(want string, v any) []fault {
	return faulty("wants " + want + ", not " + typeOf(v))
}

func typeOf(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case int64:
		return "an integer"
	case float64:
		return "a decimal number"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "a time"
}

// text is a text that check finds nothing wrong with.
func text(check func(string) string) kind[string] {
	return kind[string]{
		read: func(v any) (string, []fault) {
			s, ok := v.(string)
			if !ok {
				return "", mistyped("a string", v)
			}
			if wrong := check(s); wrong != "" {
				return "", faulty(wrong)
			}
			return s, nil
		},
		show: func(s string) any { return s },
	}
}

// mode is one of the names of a mode.
func mode[M ~uint8](names string) kind[M] {
	quoted := `"` + strings.Join(strings.Fields(names), `", "`) + `"`
	return kind[M]{
		read: func(v any) (M, []fault) {
			s, ok := v.(string)
			if !ok {
				return 0, mistyped("one of "+quoted, v)
			}
			m := modeOf[M](names, s)
			if m == 0 {
				return 0, []fault{{text: fmt.Sprintf("unknown value %q", s), hint: "it is one of " + quoted}}
			}
			return m, nil
		},
		show: func(m M) any { return nameOf(names, m) },
	}
}

func yesOrNo() kind[bool] {
	return kind[bool]{
		read: func(v any) (bool, []fault) {
			b, ok := v.(bool)
			if !ok {
				return false, mistyped("true or false", v)
			}
			return b, nil
		},
		show: func(b bool) any { return b },
	}
}

func integer(least, most int64) kind[int] {
	return kind[int]{
		read: func(v any) (int, []fault) {
			n, ok := v.(int64)
			if !ok {
				return 0, mistyped("an integer", v)
			}
			if n < least || n > most {
				return 0, faulty(fmt.Sprintf("%d is not between %d and %d", n, least, most))
			}
			return int(n), nil
		},
		show: func(n int) any { return int64(n) },
	}
}

func duration(least, most time.Duration) kind[time.Duration] {
	return kind[time.Duration]{
		read: func(v any) (time.Duration, []fault) {
			s, ok := v.(string)
			if !ok {
				return 0, mistyped(`a duration such as "5s"`, v)
			}
			d, err := time.ParseDuration(s)
			if err != nil {
				return 0, []fault{{
					text: fmt.Sprintf("%q is no duration", s),
					hint: `durations are written as "500ms", "5s", "10m" or "168h"`,
				}}
			}
			if d < least || d > most {
				return 0, faulty(fmt.Sprintf("%s is not between %s and %s", s, showDuration(least), showDuration(most)))
			}
			return d, nil
		},
		show: func(d time.Duration) any { return showDuration(d) },
	}
}

// showDuration leaves out the zeros at the end: "168h", not "168h0m0s".
func showDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// list is a list of strings that check finds nothing wrong with, none twice.
func list(check func(string) string) kind[[]string] {
	one := text(check)
	return kind[[]string]{
		read: func(v any) ([]string, []fault) {
			values, ok := v.([]any)
			if !ok {
				return nil, mistyped("a list of strings", v)
			}
			all, faults := make([]string, 0, len(values)), []fault(nil)
			for i, v := range values {
				s, wrong := one.read(v)
				if wrong == nil && slices.Contains(all, s) {
					wrong = faulty(fmt.Sprintf("%q is there twice", s))
				}
				for _, f := range wrong {
					faults = append(faults, fault{fmt.Sprintf("[%d]", i), f.text, f.hint})
				}
				all = append(all, s)
			}
			return all, faults
		},
		show: func(all []string) any { return all },
	}
}
