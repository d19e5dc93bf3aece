package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"kmproxy/cmd/internal/wire"
	"kmproxy/keys"
	"kmproxy/keys/manage"
)

func keyMoveCommands(e *env) []*cli.Command {
	return []*cli.Command{
		{
			Name: "promote", Usage: "make a key the active one, after proving it; the active one before drains",
			ArgsUsage: "KEY_ID", Action: e.action(keyPromote), Flags: endFlags(),
		},
		{Name: "suspend", Usage: "take a key out of use; it can come back", ArgsUsage: "KEY_ID", Action: e.action(keySuspend)},
		{Name: "resume", Usage: "let a suspended key drain on", ArgsUsage: "KEY_ID", Action: e.action(keyResume)},
		{
			Name: "discard", Usage: "destroy a key's private half for good; refused while it is in use",
			ArgsUsage: "KEY_ID", Action: e.action(keyDiscard), Flags: []cli.Flag{
				&cli.BoolFlag{Name: "force", Usage: "destroy it although it was used lately"},
			},
		},
	}
}

// endFlags plan the ends of the key that was active.
func endFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "drain-until", Usage: "`TIME` at which the former active key stops: 2026-12-31T00:00:00Z, or from now on as 168h"},
		&cli.StringFlag{Name: "discard-after", Usage: "`TIME` after which its private half is destroyed"},
	}
}

func (e *env) ends(c *cli.Context) (keys.Ends, error) {
	var out keys.Ends
	var err error
	if out.Drain, err = e.timeFlag(c, "drain-until"); err != nil {
		return out, err
	}
	out.Discard, err = e.timeFlag(c, "discard-after")
	return out, err
}

// timeFlag reads a point in time, or a duration from now on.
func (e *env) timeFlag(c *cli.Context, name string) (time.Time, error) {
	text := c.String(name)
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return e.now().Add(d).UTC().Truncate(time.Second), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, usageError("write it as 2026-12-31T00:00:00Z or 168h", "--%s: %q is no time", name, text)
	}
	return at.UTC(), nil
}

func keyPromote(e *env, c *cli.Context) (result, error) {
	ends, err := e.ends(c)
	if err != nil {
		return nil, err
	}
	return e.moveKey(c, func(m *manage.Manager, id keys.KeyID) (keys.Key, error) {
		return m.PromoteKey(c.Context, actor(), id, ends)
	}, "Clients of the key before go on meanwhile. See who: kmproxy key usage")
}

func keySuspend(e *env, c *cli.Context) (result, error) {
	return e.moveKey(c, func(m *manage.Manager, id keys.KeyID) (keys.Key, error) {
		return m.SuspendKey(c.Context, actor(), id)
	}, "To take it back: kmproxy key resume KEY_ID. To end it: kmproxy key discard KEY_ID")
}

func keyResume(e *env, c *cli.Context) (result, error) {
	return e.moveKey(c, func(m *manage.Manager, id keys.KeyID) (keys.Key, error) {
		return m.ResumeKey(c.Context, actor(), id)
	}, "See who uses it: kmproxy key usage")
}

func keyDiscard(e *env, c *cli.Context) (result, error) {
	force := c.Bool("force")
	return e.moveKey(c, func(m *manage.Manager, id keys.KeyID) (keys.Key, error) {
		return m.DiscardKey(c.Context, actor(), id, force)
	}, "Its private half is destroyed; the id never comes back.")
}

// moveKey does something with the key that the argument names, and shows it with
// what to do next.
func (e *env) moveKey(c *cli.Context, do func(*manage.Manager, keys.KeyID) (keys.Key, error), next string) (result, error) {
	id, err := keys.ParseKeyID(c.Args().First())
	if err != nil {
		return nil, usageError("", "%w", err)
	}
	m, _, err := e.manager(c, wire.ToWrite)
	if err != nil {
		return nil, err
	}
	k, err := do(m, id)
	if err != nil {
		return nil, explain(err)
	}
	moved := movedKey{keyShown: showKey(k), hint: strings.ReplaceAll(next, "KEY_ID", string(k.ID))}
	if moved.noActive, err = withoutActive(c, m, k); err != nil {
		return nil, explain(err)
	}
	return moved, nil
}

// withoutActive tells whether a move left the project without an active key.
func withoutActive(c *cli.Context, m *manage.Manager, k keys.Key) (bool, error) {
	if k.State != keys.Suspended {
		return false, nil
	}
	p, err := m.Project(c.Context, k.ASPID)
	if err != nil {
		return false, err
	}
	_, has := p.Active()
	return !has, nil
}

// movedKey is a key after a move.
type movedKey struct {
	keyShown
	noActive bool
	hint     string
}

func (r movedKey) text(w io.Writer) error {
	if err := r.keyShown.text(w); err != nil {
		return err
	}
	if r.noActive {
		if _, err := fmt.Fprintf(w, "\nProject %s has no active key now: answers to plain requests cannot be sealed.\n"+
			"Promote one: kmproxy key list --asp-id %s\n", r.ASPID, r.ASPID); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n%s\n", r.hint)
	return err
}
