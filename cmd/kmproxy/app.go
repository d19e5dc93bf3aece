package main

import (
	"bytes"
	"context"
	"io"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

// commands lists every command group, in the order that help shows them.
func commands(e *env) []*cli.Command {
	return []*cli.Command{
		demoCommand(e),
		serveCommand(e),
		configCommand(e),
		projectCommand(e),
		keyCommand(e),
		auditCommand(e),
		sealCommand(e),
		backupCommand(e),
		restoreCommand(e),
		callCommand(e),
		completionCommand(e),
		completeCommand(e),
	}
}

// globalFlags are taken before and after every command.
func globalFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "config", Usage: "read `FILE` (default: $KMPROXY_CONFIG, else config.toml)"},
		&cli.BoolFlag{Name: "json", Usage: "print exactly one JSON document on stdout", DisableDefaultText: true},
	}
}

func newApp(e *env, w io.Writer) *cli.App {
	app := &cli.App{
		Name:            "kmproxy",
		Usage:           "a TLS reverse proxy that opens and seals encrypted payment API calls",
		Version:         version(),
		Flags:           globalFlags(),
		Commands:        commands(e),
		Writer:          w,
		ErrWriter:       w,
		HideHelpCommand: true, // "help" is a word of our own, see line.word
		OnUsageError:    onUsageError,
		// The default handler ends the process by itself.
		ExitErrHandler: func(*cli.Context, error) {},
	}
	prepare(app.Commands)
	app.Setup()
	return app
}

// prepare sets what all commands have in common.
func prepare(commands []*cli.Command) {
	for _, c := range commands {
		c.HideHelpCommand = true // else an argument that reads "help" or "h" would be a command
		c.OnUsageError = onUsageError
		prepare(c.Subcommands)
	}
}

func onUsageError(_ *cli.Context, err error, _ bool) error {
	return usageError("", "%w", err)
}

// execute runs the command that args name. What urfave/cli prints by itself is
// help and the version: it is a result like any other.
func (e *env) execute(ctx context.Context, args []string) error {
	var own bytes.Buffer
	app := newApp(e, &own)
	argv, err := arrange(app, args)
	if err != nil {
		return err
	}
	if err := app.RunContext(ctx, argv); err != nil {
		return err
	}
	if own.Len() > 0 {
		return e.print(notice{own.String()})
	}
	return nil
}

// action makes a command's action of a function that returns what to print. A
// nil result prints nothing to people, and {"ok":true} as JSON.
func (e *env) action(do func(*env, *cli.Context) (result, error)) cli.ActionFunc {
	return func(c *cli.Context) error {
		r, err := do(e, c)
		if err != nil {
			return err
		}
		return e.print(r)
	}
}

// version is the module's, with the commit when the build knows it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(unknown)"
	}
	return info.Main.Version
}
