//go:build !boringcrypto

package main

// procsPerCore is how many of Go's processors a core gets.
const procsPerCore = 1

// rsaBy names whose RSA the program has.
func rsaBy() string { return "Go" }
