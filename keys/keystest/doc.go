// Package keystest is what the tests of projects and keys share: an Office, which is
// a store with a Manager on it, RSA keys that are made once, and records that are
// made by hand, past every Manager. It fails or panics where a test cannot continue.
package keystest
