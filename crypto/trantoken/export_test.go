package trantoken

// The lengths that a token can have.
const (
	MinLen = minLen
	MaxLen = maxLen
)
