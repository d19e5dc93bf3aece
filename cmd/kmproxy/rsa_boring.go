//go:build boringcrypto

package main

import "crypto/boring"

// rsaBy names whose RSA the program has.
func rsaBy() string {
	if boring.Enabled() {
		return "BoringCrypto"
	}
	return "Go" // BoringCrypto is there for linux on amd64 and arm64 alone
}
