package audit

// Verify checks a whole chain.
func (k Key) Verify(entries []Entry) error { return k.VerifyAfter(nil, entries) }
