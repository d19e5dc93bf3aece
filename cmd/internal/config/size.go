package config

import (
	"fmt"
	"strconv"
	"strings"
)

// unit is a unit of sizes. There are no decimal ones: "1MB" would be read as
// something else than what most people mean by it.
type unit struct {
	name  string
	bytes int64
}

// units are ordered so that none hides another's suffix.
func units() []unit {
	return []unit{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}
}

func size(least, most int64) kind[int64] {
	return kind[int64]{
		read: func(v any) (int64, []fault) {
			s, ok := v.(string)
			if !ok {
				return 0, mistyped(`a size such as "1MiB"`, v)
			}
			n, ok := parseSize(s)
			if !ok {
				return 0, []fault{{
					text: fmt.Sprintf("%q is no size", s),
					hint: `sizes are written as "512B", "64KiB" or "1MiB"`,
				}}
			}
			if n < least || n > most {
				return 0, faulty(fmt.Sprintf("%s is not between %s and %s", s, showSize(least), showSize(most)))
			}
			return n, nil
		},
		show: func(n int64) any { return showSize(n) },
	}
}

func parseSize(s string) (int64, bool) {
	for _, u := range units() {
		digits, found := strings.CutSuffix(s, u.name)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 32) // 32 bits of GiB still fit an int64
		return int64(n) * u.bytes, err == nil
	}
	return 0, false
}

// showSize writes a size in the largest unit that it is a multiple of.
func showSize(n int64) string {
	for _, u := range units() {
		if n%u.bytes == 0 && n > 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return "0B"
}
