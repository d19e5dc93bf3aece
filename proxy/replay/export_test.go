package replay

// Release ends a claim whose request did not reach the upstream.
func (c *Claim) Release() {
	c.Unsent()
	c.End()
}
