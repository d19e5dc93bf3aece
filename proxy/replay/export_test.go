package replay

// LongestWindow is how long a Memory can remember a request, in days of 24 hours.
const LongestWindow = longestWindow

// Release ends a claim whose request did not reach the upstream.
func (c *Claim) Release() {
	c.Unsent()
	c.End()
}
