package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"kmproxy/cmd/internal/config"
)

func callCommand(e *env) *cli.Command {
	return &cli.Command{
		Name: "call", Usage: "make one API call as a service provider does: encrypt, sign, send, decrypt",
		ArgsUsage: "PATH", Action: e.action(call),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "data", Usage: "the `JSON` to send; - reads it from stdin", Required: true},
			&cli.StringFlag{Name: "url", Usage: "the proxy's `URL` (default: the one of the config)"},
			aspIDFlag("the service provider's `ID`"),
			&cli.StringFlag{Name: "access-key", Usage: "the project's access `KEY`", Required: true},
			&cli.StringFlag{Name: "secret-key", Usage: "the project's secret `KEY`; others can see it in the process list: better $KMPROXY_SECRET_KEY"},
			&cli.StringFlag{Name: "key-id", Usage: "the crypto key's `ID`"},
			&cli.StringFlag{Name: "server-public-key", Usage: "`FILE` with the key to encrypt to"},
			&cli.StringFlag{Name: "client-private-key", Usage: "`FILE` with the key to open the answer with"},
			&cli.StringFlag{Name: "ca", Usage: "`FILE` with the CA of the proxy's certificate (default: the local one, else the system's)"},
			&cli.IntFlag{Name: "count", Value: 1, Usage: "make so `MANY` calls with the same data, one after the other, up to the first that fails; with --json: {\"answers\":[…]}"},
			&cli.BoolFlag{Name: "reuse-key", Usage: "encrypt all of them under one content key, as a caller does for a proxy with cek_cache"},
			&cli.BoolFlag{Name: "plain", Usage: "send the data as it is, signed but not encrypted"},
		},
	}
}

func call(e *env, c *cli.Context) (result, error) {
	if c.Int("count") < 1 {
		return nil, usageError("", "--count: %d calls cannot be made", c.Int("count"))
	}
	who, err := e.caller(c)
	if err != nil {
		return nil, err
	}
	data, err := e.data(c.String("data"))
	if err != nil {
		return nil, err
	}
	send := who.Call
	if c.Bool("plain") {
		send = who.Send
	}
	var all answers
	for range c.Int("count") {
		x, err := send(c.Context, c.Args().First(), data)
		if err != nil {
			return nil, err
		}
		a := answered{status: x.Status, body: bytes.TrimSpace(x.Plaintext)}
		if x.Status < 200 || x.Status > 299 {
			return nil, e.refusedCall(a)
		}
		all = append(all, a)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return all, nil
}

// maxDataBytes is what admission.max_body allows at the most.
const maxDataBytes = 64 << 20

func (e *env) data(given string) ([]byte, error) {
	if given != "-" {
		return []byte(given), nil
	}
	data, err := config.ReadMost(e.reader(e.stdin), "what it gives", maxDataBytes)
	if err != nil {
		return nil, fmt.Errorf("reading the data from stdin: %w", err)
	}
	return data, nil
}

// answered is an API's answer in plaintext.
type answered struct {
	status int
	body   []byte
}

func (a answered) text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s\n", a.body)
	return err
}

// MarshalJSON passes JSON through as it is; other answers become a string.
func (a answered) MarshalJSON() ([]byte, error) {
	if json.Valid(a.body) {
		return a.body, nil
	}
	return json.Marshal(map[string]any{"status": a.status, "answer": string(a.body)})
}

// answers are those of more calls than one.
type answers []answered

func (a answers) text(w io.Writer) error {
	for _, one := range a {
		if err := one.text(w); err != nil {
			return err
		}
	}
	return nil
}

func (a answers) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"answers": []answered(a)})
}

// refusedCall shows people the answer too; as JSON it is in the error's document.
func (e *env) refusedCall(a answered) error {
	failed := error(&callError{a})
	if !e.json {
		failed = errors.Join(failed, e.print(a))
	}
	return failed
}

// callError is an answer that says that the call failed.
type callError struct{ answer answered }

func (e *callError) Error() string {
	var envelope struct {
		Response struct{ Code, Description string }
	}
	if err := json.Unmarshal(e.answer.body, &envelope); err != nil || envelope.Response.Code == "" {
		return fmt.Sprintf("the API answered with status %d", e.answer.status)
	}
	return fmt.Sprintf("the API answered with status %d: %s %s", e.answer.status, envelope.Response.Code, envelope.Response.Description)
}
