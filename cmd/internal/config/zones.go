package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// zones is a table of names and offsets from UTC. X-KM-Time-Zone is three
// letters long, and says nothing of daylight saving time: the offsets are fixed.
func zones() kind[map[string]*time.Location] {
	return kind[map[string]*time.Location]{read: readZones, show: showZones}
}

func readZones(v any) (map[string]*time.Location, []fault) {
	table, ok := v.(map[string]any)
	if !ok {
		return nil, mistyped(`a table such as { UTC = "+00:00" }`, v)
	}
	if len(table) == 0 {
		return nil, faulty("has no time zone: no request could pass")
	}
	all, faults := map[string]*time.Location{}, []fault(nil)
	for _, name := range slices.Sorted(maps.Keys(table)) {
		zone, wrong := readZone(name, table[name])
		for _, f := range wrong {
			faults = append(faults, fault{"." + bare(name), f.text, f.hint})
		}
		all[name] = zone
	}
	return all, faults
}

func readZone(name string, v any) (*time.Location, []fault) {
	notLetter := func(c rune) bool { return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') }
	if len(name) != 3 || strings.ContainsFunc(name, notLetter) {
		return nil, faulty("the name of a time zone has exactly 3 letters")
	}
	s, ok := v.(string)
	if !ok {
		return nil, mistyped(`an offset such as "+09:00"`, v)
	}
	offset, ok := parseOffset(s)
	if !ok {
		return nil, []fault{{
			text: fmt.Sprintf("%q is no offset from UTC", s),
			hint: `offsets are written as "+09:00", from -14:00 to +14:00`,
		}}
	}
	return time.FixedZone(name, int(offset/time.Second)), nil
}

// parseOffset reads "+09:00" and no other form of it.
func parseOffset(s string) (time.Duration, bool) {
	t, err := time.Parse("-07:00", s)
	_, seconds := t.Zone()
	offset := time.Duration(seconds) * time.Second
	if err != nil || offset.Abs() > 14*time.Hour || showOffset(offset) != s && s != "-00:00" {
		return 0, false
	}
	return offset, true
}

func showOffset(d time.Duration) string {
	sign := '+'
	if d < 0 {
		sign, d = '-', -d
	}
	return fmt.Sprintf("%c%02d:%02d", sign, int(d.Hours()), int(d.Minutes())%60)
}

func showZones(all map[string]*time.Location) any {
	table := make(map[string]string, len(all))
	for name, zone := range all {
		_, offset := time.Time{}.In(zone).Zone()
		table[name] = showOffset(time.Duration(offset) * time.Second)
	}
	return table
}
