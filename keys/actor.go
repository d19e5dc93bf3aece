package keys

// Actor is who asks for a change.
type Actor struct{ Name string }
