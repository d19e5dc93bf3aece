package usage

import "kmproxy/keys"

// Interval is the time between two writes of a ledger.
const Interval = interval

// Uses returns what was counted so far.
func (c *Counter) Uses() []keys.Use { return c.uses() }
