package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Effective is the whole config as TOML, the defaults and the folder of relative
// paths filled in. Load makes the same config of it. It holds no secret.
func (c Config) Effective() string {
	var b strings.Builder
	table := ""
	for _, s := range settings(&c, "") {
		dot := strings.LastIndexByte(s.key, '.')
		if s.key[:dot] != table {
			if table != "" {
				b.WriteByte('\n')
			}
			table = s.key[:dot]
			fmt.Fprintf(&b, "[%s]\n", table)
		}
		fmt.Fprintf(&b, "%s = %s\n", s.key[dot+1:], literal(s.show()))
	}
	for i := range c.Routes {
		b.WriteString("\n[[route]]\n")
		for _, s := range routeSettings(&c.Routes[i]) {
			fmt.Fprintf(&b, "%s = %s\n", s.key, literal(s.show()))
		}
	}
	return b.String()
}

// literal writes what kind.show returns.
func literal(v any) string {
	switch v := v.(type) {
	case string:
		return quote(v)
	case []string:
		all := make([]string, len(v))
		for i, s := range v {
			all[i] = quote(s)
		}
		return "[" + strings.Join(all, ", ") + "]"
	case map[string]string:
		var all []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			all = append(all, bare(name)+" = "+quote(v[name]))
		}
		return "{ " + strings.Join(all, ", ") + " }"
	case bool:
		return strconv.FormatBool(v)
	}
	return fmt.Sprint(v)
}

// quote writes a TOML basic string, which knows fewer escapes than Go.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b.WriteString(`\` + string(c))
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
