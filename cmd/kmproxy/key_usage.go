package main

import (
	"io"
	"strconv"

	"github.com/urfave/cli/v2"

	"kmproxy/keys"
)

func keyUsageCommand(e *env) *cli.Command {
	return &cli.Command{
		Name: "usage", Usage: "show who still uses which key", Action: e.action(keyUsage), Flags: []cli.Flag{
			&cli.StringFlag{Name: "asp-id", Usage: "only those of the project `ID`"},
		},
	}
}

func keyUsage(e *env, c *cli.Context) (result, error) {
	m, list, err := e.keys(c)
	if err != nil {
		return nil, err
	}
	uses, err := m.Uses(c.Context)
	if err != nil {
		return nil, explain(err)
	}
	out := usageShown{Usage: []keys.Use{}, keys: list, look: e.look()}
	of := keys.ASPID(c.String("asp-id")) // it was parsed
	for _, u := range uses {
		if of == "" || u.ASPID == of {
			out.Usage = append(out.Usage, u)
		}
	}
	return out, nil
}

type usageShown struct {
	Usage []keys.Use `json:"usage"`
	keys  []keys.Key
	look  look
}

// text has a row for every use, and one for every key that nobody used.
func (r usageShown) text(w io.Writer) error {
	if len(r.keys) == 0 {
		_, err := io.WriteString(w, "No crypto keys yet. Next: kmproxy key create --asp-id ID\n")
		return err
	}
	var rows [][]string
	for _, k := range r.keys {
		if k.State == keys.Discarded {
			continue
		}
		used := false
		for _, u := range r.Usage {
			if u.KeyID.Equal(k.ID) {
				used = true
				rows = append(rows, []string{string(k.ID), string(k.ASPID), r.look.state(k.State), r.look.ago(u.LastUsed),
					string(u.Direction), string(u.Alg), strconv.FormatUint(u.Requests, 10)})
			}
		}
		if !used {
			rows = append(rows, []string{string(k.ID), string(k.ASPID), r.look.state(k.State), "never", "-", "-", "0"})
		}
	}
	return table(w, []string{"KEY ID", "ASP ID", "STATE", "LAST USED", "DIRECTION", "ALG", "REQUESTS"}, rows)
}
