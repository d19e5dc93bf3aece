package kona

import (
	"errors"
	"time"
)

// timeLayout is the form of X-KM-Tran-Time. Some clients append milliseconds.
const (
	timeLayout = "20060102150405"
	timeLen    = len(timeLayout)
)

var errTime = errors.New("not a time")

// parseTime reads X-KM-Tran-Time: 14 digits, or 17 with milliseconds.
func parseTime(s string, loc *time.Location) (time.Time, error) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return time.Time{}, errTime
		}
	}
	switch len(s) {
	case timeLen:
		return time.ParseInLocation(timeLayout, s, loc)
	case timeLen + 3:
		return time.ParseInLocation(timeLayout+".000", s[:timeLen]+"."+s[timeLen:], loc)
	}
	return time.Time{}, errTime
}

// Within reports whether both of a request's times are at most skew away from now.
// They may differ from each other, because clients read the clock twice.
func (h Headers) Within(now time.Time, skew time.Duration) bool {
	return now.Sub(h.SentAt).Abs() <= skew && now.Sub(h.TokenAt).Abs() <= skew
}
