package main

import (
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"kmproxy/cmd/internal/wire"
	"kmproxy/keys"
	"kmproxy/keys/manage"
)

func keyCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:  "key",
		Usage: "look after crypto keys",
		Subcommands: append([]*cli.Command{
			keyCreateCommand(e),
			keyImportCommand(e),
			keyRotateCommand(e),
			keyUsageCommand(e),
			{Name: "list", Usage: "list crypto keys", Action: e.action(keyList), Flags: []cli.Flag{
				&cli.StringFlag{Name: "asp-id", Usage: "only those of the project `ID`"},
			}},
			{Name: "show", Usage: "show a crypto key", ArgsUsage: "KEY_ID", Action: e.action(keyShow)},
			{Name: "export", Usage: "print a key's public halves", ArgsUsage: "KEY_ID", Action: e.action(keyExport), Flags: []cli.Flag{
				&cli.StringFlag{Name: "format", Usage: "`FORMAT`: pem or jwk", Value: "pem"},
				&cli.StringFlag{Name: "half", Usage: "only that `HALF`: server (requests are encrypted to it) or client (answers are)"},
			}},
		}, keyMoveCommands(e)...),
	}
}

func keyList(e *env, c *cli.Context) (result, error) {
	_, list, err := e.keys(c)
	if err != nil {
		return nil, err
	}
	out := keysShown{Keys: make([]keyShown, 0, len(list)), look: e.look()}
	for _, k := range list {
		out.Keys = append(out.Keys, showKey(k))
	}
	return out, nil
}

// keys lists those of the project that --asp-id names, or all.
func (e *env) keys(c *cli.Context) (*manage.Manager, []keys.Key, error) {
	var of keys.ASPID
	if c.IsSet("asp-id") {
		var err error
		if of, err = keys.ParseASPID(c.String("asp-id")); err != nil {
			return nil, nil, usageError("", "--asp-id: %w", err)
		}
	}
	m, _, err := e.manager(c, wire.ToRead)
	if err != nil {
		return nil, nil, err
	}
	list, err := m.Keys(c.Context, of)
	if err != nil {
		return nil, nil, explain(err)
	}
	return m, list, nil
}

func keyShow(e *env, c *cli.Context) (result, error) {
	m, k, err := e.key(c)
	if err != nil {
		return nil, err
	}
	uses, err := m.Uses(c.Context)
	if err != nil {
		return nil, explain(err)
	}
	parting := m.SafeToDiscard(k, uses)
	return keyInFull{showKey(k), parting.Safe, parting.Why}, nil
}

// key reads the key that the argument names.
func (e *env) key(c *cli.Context) (*manage.Manager, keys.Key, error) {
	id, err := keys.ParseKeyID(c.Args().First())
	if err != nil {
		return nil, keys.Key{}, usageError("", "%w", err)
	}
	m, _, err := e.manager(c, wire.ToRead)
	if err != nil {
		return nil, keys.Key{}, err
	}
	k, err := m.Key(c.Context, id)
	return m, k, explain(err)
}

// keyInFull says also whether the key can be parted with.
type keyInFull struct {
	keyShown
	Safe bool   `json:"safe_to_suspend"`
	Why  string `json:"safe_to_suspend_why"`
}

func (r keyInFull) text(w io.Writer) error {
	if err := r.keyShown.text(w); err != nil {
		return err
	}
	verdict := "not safe to suspend"
	if r.Safe {
		verdict = "safe to suspend"
	}
	_, err := fmt.Fprintf(w, "\n%s: %s\n", verdict, r.Why)
	return err
}

type keyShown struct {
	KeyID      keys.KeyID `json:"key_id"`
	ASPID      keys.ASPID `json:"asp_id"`
	State      string     `json:"state"`
	CreatedAt  time.Time  `json:"created_at"`
	Since      time.Time  `json:"state_since"`
	DrainUntil time.Time  `json:"drain_until,omitzero"`
	Discard    time.Time  `json:"discard_after,omitzero"`
	Algs       []string   `json:"algs"`
	Encs       []string   `json:"encs"`
	ServerPEM  string     `json:"server_public_key"`
	ClientPEM  string     `json:"client_public_key"`
	ClientFile string     `json:"client_private_key_file,omitempty"`
}

func showKey(k keys.Key) keyShown {
	algs, encs := k.Allowed.Names()
	return keyShown{KeyID: k.ID, ASPID: k.ASPID, State: k.State.String(), CreatedAt: k.CreatedAt, Since: k.Since,
		DrainUntil: k.Ends.Drain, Discard: k.Ends.Discard,
		Algs: algs, Encs: encs, ServerPEM: k.ServerPEM, ClientPEM: k.ClientPEM}
}

func (r keyShown) text(w io.Writer) error {
	fields := []string{"key id", string(r.KeyID), "asp id", string(r.ASPID), "state", r.State + " since " + when(r.Since),
		"created", when(r.CreatedAt), "allowed", fmt.Sprint(r.Algs, " with ", r.Encs)}
	if !r.DrainUntil.IsZero() {
		fields = append(fields, "drains until", when(r.DrainUntil))
	}
	if !r.Discard.IsZero() {
		fields = append(fields, "discarded after", when(r.Discard))
	}
	if err := record(w, fields...); err != nil {
		return err
	}
	return r.next(w)
}

// next says what a key that was just made wants.
func (r keyShown) next(w io.Writer) error {
	if r.ClientFile == "" {
		return nil
	}
	_, err := fmt.Fprintf(w, "\nThe client's private key is in %s and nowhere else: hand it to the service provider.\n"+
		"The server's public key, which he encrypts to: kmproxy key export %s\n", r.ClientFile, r.KeyID)
	return err
}

type keysShown struct {
	Keys []keyShown `json:"keys"`
	look look
}

func (r keysShown) text(w io.Writer) error {
	if len(r.Keys) == 0 {
		_, err := io.WriteString(w, "No crypto keys yet. Next: kmproxy key create --asp-id ID\n")
		return err
	}
	var rows [][]string
	for _, k := range r.Keys {
		state, _ := keys.ParseState(k.State) // it was printed by us
		rows = append(rows, []string{string(k.KeyID), string(k.ASPID), r.look.state(state), r.look.ago(k.Since), r.look.ago(k.CreatedAt)})
	}
	return table(w, []string{"KEY ID", "ASP ID", "STATE", "SINCE", "CREATED"}, rows)
}
