package main

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// testApp has a command of each shape.
func testApp() *cli.App {
	app := &cli.App{
		Name:            "kmproxy",
		Writer:          io.Discard,
		HideHelpCommand: true,
		Version:         "v0",
		Flags:           globalFlags(),
		Commands: []*cli.Command{
			{Name: "call", ArgsUsage: "PATH", Flags: []cli.Flag{
				&cli.StringFlag{Name: "data", Aliases: []string{"d"}, Required: true},
				&cli.StringSliceFlag{Name: "header"},
			}},
			{Name: "key", Subcommands: []*cli.Command{
				{Name: "discard", ArgsUsage: "KEY_ID", Flags: []cli.Flag{&cli.BoolFlag{Name: "force"}}},
				{Name: "export", ArgsUsage: "KEY_ID [FILE]"},
				{Name: "secret", Hidden: true, ArgsUsage: "[WORD...]"},
			}},
		},
	}
	app.Setup()
	return app
}

func TestArrange(t *testing.T) {
	tests := []struct{ line, want string }{
		{"key discard ID", "key discard -- ID"},
		{"key discard ID --force", "key discard --force -- ID"},
		{"key discard --force ID", "key discard --force -- ID"},
		{"key discard -force ID", "key discard --force -- ID"},
		{"key discard --force=false ID", "key discard --force=false -- ID"},
		{"--json key discard ID", "--json key discard -- ID"},
		{"key --json discard ID", "--json key discard -- ID"},
		{"key discard ID --config c.toml --json", "--config=c.toml --json key discard -- ID"},
		{"key discard ID --config=", "--config= key discard -- ID"},
		{"key discard -- ID", "key discard -- ID"},
		{"key discard -- --force", "key discard -- --force"},
		{"key discard -", "key discard -- -"},
		{"key discard help", "key discard -- help"},
		{"key export ID", "key export -- ID"},
		{"key export ID FILE", "key export -- ID FILE"},
		{"key secret", "key secret --"},
		{"key secret -- a -b c", "key secret -- a -b c"},
		{"call -d {} /p", "call --data={} -- /p"},
		{"call /p -d={}", "call --data={} -- /p"},
		{"call /p --data -1", "call --data=-1 -- /p"},
		{"call /p --data=--json", "call --data=--json -- /p"},
		{"call /p --data {} --header a --header b", "call --data={} --header=a --header=b -- /p"},
		{"help", "--help"},
		{"-h", "--help"},
		{"help key discard", "key discard --help"},
		{"key discard --json --help", "key discard --help"},
		{"call --help", "call --help"},
		{"key discard -v", "--version"},
	}
	for _, tt := range tests {
		got, err := arrange(testApp(), append([]string{"./kmproxy"}, strings.Fields(tt.line)...))
		if err != nil {
			t.Errorf("%s: %v", tt.line, err)
			continue
		}
		if want := append([]string{"kmproxy"}, strings.Fields(tt.want)...); !slices.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", tt.line, got, want)
		}
	}
}

func TestArrangeRefuses(t *testing.T) {
	tests := []struct{ line, err, hint string }{
		{"", "a command is missing", "one of call, key"},
		{"--", "a command is missing", "one of call, key"},
		{"key", "key: a command is missing", "one of discard, export"},
		{"kee discard", `unknown command "kee"`, "did you mean key?"},
		{"KEE discard", `unknown command "KEE"`, "did you mean key?"},
		{"hepl", `unknown command "hepl"`, "see kmproxy --help"},                  // nothing begins as it does
		{"key exhelp", `key: unknown command "exhelp"`, "see kmproxy key --help"}, // nor is "help", which urfave/cli thinks of
		{"key discrad ID", `key: unknown command "discrad"`, "did you mean discard?"},
		{"key seecret", `key: unknown command "seecret"`, "see kmproxy key --help"}, // hidden ones are not proposed
		{"help nothing", `unknown command "nothing"`, "see kmproxy --help"},
		{"key discard ID --forse", "key discard: unknown flag --forse", "did you mean --force?"},
		{"key discard ID --forse=secret", "key discard: unknown flag --forse", "did you mean --force?"},
		{"call --Dta x", "call: unknown flag --Dta", "did you mean --data?"},
		{"call --=x", "call: unknown flag --", "see kmproxy call --help"},
		{"key discard ID --data x", "key discard: unknown flag --data", "see kmproxy key discard --help"},
		{"--force key discard ID", "unknown flag --force", "see kmproxy --help"},
		{"key discard", "key discard: KEY_ID is missing", "usage: kmproxy key discard KEY_ID"},
		{"key discard A B", `key discard: unexpected argument "B"`, "usage: kmproxy key discard KEY_ID"},
		{"key export A B C", `key export: unexpected argument "C"`, "usage: kmproxy key export KEY_ID [FILE]"},
		{"call /p", "call: --data is missing", "see kmproxy call --help"},
		{"call /p --data", "call: --data needs a value", "write --data=VALUE if the value begins with a dash"},
		{"call /p --data --json", "call: --data needs a value", "write --data=VALUE if the value begins with a dash"},
		{"call /p --data -- x", "call: --data needs a value", "write --data=VALUE if the value begins with a dash"},
		{"call /p --data 1 -d 2", "call: --data is given twice", ""},
	}
	for _, tt := range tests {
		argv, err := arrange(testApp(), append([]string{"kmproxy"}, strings.Fields(tt.line)...))
		f, ok := errors.AsType[*failure](err)
		if !ok {
			t.Errorf("%s: got %q and the error %v, want a failure", tt.line, argv, err)
			continue
		}
		if f.Error() != tt.err || f.hint != tt.hint || f.code != exitUsage {
			t.Errorf("%s:\n got %q, hint %q, code %d\nwant %q, hint %q", tt.line, f, f.hint, f.code, tt.err, tt.hint)
		}
	}
}

// What arrange makes is what urfave/cli understands: nothing is lost on the way.
func TestArrangedLineReachesTheCommand(t *testing.T) {
	app := testApp()
	prepare(app.Commands)
	var id, config string
	var force bool
	app.Commands[1].Command("discard").Action = func(c *cli.Context) error {
		id, force, config = c.Args().First(), c.Bool("force"), c.String("config")
		return nil
	}
	argv, err := arrange(app, []string{"kmproxy", "key", "discard", "help", "--force", "--config", "-x"})
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Run(argv); err != nil {
		t.Fatal(err)
	}
	if id != "help" || !force || config != "-x" {
		t.Errorf("got id %q, force %v, config %q", id, force, config)
	}
}
