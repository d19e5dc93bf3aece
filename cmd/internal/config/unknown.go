package config

import (
	"slices"
	"strings"

	"github.com/xrash/smetrics"
)

func keysOf(all []setting) []string {
	keys := make([]string, len(all))
	for i, s := range all {
		keys[i] = s.key
	}
	return keys
}

// unknown reports the keys of a table that are not known, and those that ought
// to be tables and are none. The known keys begin inside the table; prefix is
// the table's own key and a dot, or nothing.
func (r *report) unknown(prefix string, table map[string]any, known []string) {
	for name, v := range table {
		name = bare(name)
		key := prefix + name
		inside := below(name, known)
		switch sub, isTable := v.(map[string]any); {
		case slices.Contains(known, name):
		case len(inside) == 0:
			r.add(key, "unknown key", r.meant(name, known))
		case !isTable:
			r.add(key, "wants a table, not "+typeOf(v), "write ["+key+"]")
		default:
			r.unknown(key+".", sub, inside)
		}
	}
}

// below are the keys inside a table.
func below(table string, keys []string) []string {
	var inside []string
	for _, key := range keys {
		if rest, ok := strings.CutPrefix(key, table+"."); ok {
			inside = append(inside, rest)
		}
	}
	return inside
}

// meant proposes a key that stands here, else the tables where it would stand.
func (r *report) meant(name string, known []string) string {
	var here []string
	for _, key := range known {
		first, _, _ := strings.Cut(key, ".")
		here = append(here, first)
	}
	if near := nearest(name, here); near != "" {
		return "did you mean " + near + "?"
	}
	if homes := homesOf(name); len(homes) > 0 {
		return "it belongs to " + strings.Join(homes, " or ")
	}
	return ""
}

// nearest returns the key that is most like a name, whatever the case of its letters;
// "" if none is much like it. Of several that are alike the first is returned.
func nearest(name string, keys []string) string {
	const (
		alike      = 0.8    // on Jaro-Winkler's scale, where 1 is the same word
		boost, run = 0.7, 4 // Winkler's own: from where, and how far, equal beginnings count more
	)
	best, most := "", alike
	for _, key := range keys {
		if s := smetrics.JaroWinkler(strings.ToLower(name), key, boost, run); s > most {
			best, most = key, s
		}
	}
	return best
}

// homesOf are the tables that have a key of a name.
func homesOf(name string) []string {
	var homes []string
	for _, key := range keysOf(settings(&Config{}, "")) {
		if home, ok := strings.CutSuffix(key, "."+name); ok {
			homes = append(homes, "["+home+"]")
		}
	}
	if slices.Contains(keysOf(routeSettings(&Route{})), name) {
		homes = append(homes, "[[route]]")
	}
	return homes
}
