//go:build !boringcrypto

package main

// rsaBy names whose RSA the program has.
func rsaBy() string { return "Go" }
