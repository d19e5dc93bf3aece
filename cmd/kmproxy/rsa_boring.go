//go:build boringcrypto

package main

import "crypto/boring"

// procsPerCore leaves Go's scheduler some processors to spare. A call into C holds one;
// where none is free the runtime looks every 20 µs whether to take it away, which costs
// a twentieth of all CPU where RSA operations take most of it.
const procsPerCore = 2

// rsaBy names whose RSA the program has.
func rsaBy() string {
	if boring.Enabled() {
		return "BoringCrypto"
	}
	return "Go" // BoringCrypto is there for linux on amd64 and arm64 alone
}
