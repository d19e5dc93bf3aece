// Command kmproxy is a TLS reverse proxy that opens encrypted payment API
// calls, hands them on in plain, and seals the answers.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if err := harden(); err != nil {
		fmt.Fprintf(os.Stderr, "kmproxy: error: %v\n", err)
		os.Exit(exitFailed)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program: it reads the command line, does what it says and
// returns the exit code. Results go to stdout, logs and people's errors to
// stderr. It ends early, with exitFailed, when ctx does.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	e := newEnv(args, stdin, stdout, stderr)
	e.ended = ctx.Done()
	defer e.flush()
	if err := e.execute(ctx, args); err != nil {
		return e.fail(err)
	}
	return exitDone
}
