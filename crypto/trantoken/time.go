package trantoken

import "time"

// parseTime parses yyyyMMddHHmmss followed by two or three digits of fractional
// seconds.
func parseTime(digits string, loc *time.Location) (time.Time, error) {
	if len(digits) != 16 && len(digits) != 17 {
		return time.Time{}, ErrForm
	}
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return time.Time{}, ErrForm
		}
	}
	return time.ParseInLocation("20060102150405.999", digits[:14]+"."+digits[14:], loc)
}
