package origin

import "context"

type verifiedKey struct{}

// WithVerified returns a context in which Verified calls verified. It is for the
// contexts of connections: verified must be safe for concurrent use.
func WithVerified(ctx context.Context, verified func()) context.Context {
	return context.WithValue(ctx, verifiedKey{}, verified)
}

// Verified reports to the connection that a request of it was authenticated. Without
// WithVerified it does nothing.
func Verified(ctx context.Context) {
	if verified, ok := ctx.Value(verifiedKey{}).(func()); ok {
		verified()
	}
}
