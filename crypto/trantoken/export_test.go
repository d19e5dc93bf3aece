package trantoken

// The limits of a token's length.
const (
	MinLen = minLen
	MaxLen = maxLen
)
