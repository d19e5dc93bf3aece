// Package kona implements the message protocol of KONA PLATE's open API: the X-KM
// headers and their grammar, the token's times, the wrapper around an encrypted
// body, the codes and texts of errors, the identity of a request for replay
// protection, and signing.
//
// It serves both sides of the protocol. A server reads headers with [ReadHeaders]
// and bodies with [IsEncrypted] and [Unwrap]; a client
// builds them with [Wrap] and [Signer]. The package verifies no token: that needs the
// project's secret, see [trantoken.Token.Verify].
package kona
