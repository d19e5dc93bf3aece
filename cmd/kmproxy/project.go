package main

import (
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"kmproxy/cmd/internal/wire"
	"kmproxy/keys"
	"kmproxy/keys/manage"
)

func projectCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:  "project",
		Usage: "register service providers",
		Subcommands: []*cli.Command{
			{Name: "create", Usage: "register a service provider; its secret key is shown once", Action: e.action(projectCreate), Flags: []cli.Flag{
				aspIDFlag("the service provider's `ID`: 15 letters or digits"),
				&cli.StringFlag{Name: "name", Usage: "a `NAME` for people"},
				&cli.StringFlag{Name: "access-key", Usage: "an access `KEY` that is in use already"},
				&cli.StringFlag{Name: "secret-key-file", Usage: "`FILE` with a secret key that is in use already"},
				&cli.StringFlag{Name: "client-cert", Usage: "take its requests only from connections with the key of the client certificate in `FILE`"},
			}},
			{Name: "list", Usage: "list all projects", Action: e.action(projectList)},
			{Name: "show", Usage: "show a project and its keys", ArgsUsage: "ASP_ID", Action: e.action(projectShow)},
			{Name: "suspend", Usage: "refuse all of a project's requests", ArgsUsage: "ASP_ID", Action: e.action(projectSuspend)},
			{Name: "resume", Usage: "take a project's requests again", ArgsUsage: "ASP_ID", Action: e.action(projectResume)},
			{
				Name: "rotate-secret", Usage: "give a project a new access key and secret; the pair before works on for a while",
				ArgsUsage: "ASP_ID", Action: e.action(projectRotateSecret), Flags: []cli.Flag{
					&cli.DurationFlag{Name: "overlap", Usage: "`DURATION` for which the pair before works on", Value: 24 * time.Hour},
				},
			},
		},
	}
}

func aspIDFlag(usage string) cli.Flag {
	return &cli.StringFlag{Name: "asp-id", Usage: usage, Required: true}
}

func projectList(e *env, c *cli.Context) (result, error) {
	m, _, err := e.manager(c, wire.ToRead)
	if err != nil {
		return nil, err
	}
	projects, err := m.Projects(c.Context)
	if err != nil {
		return nil, explain(err)
	}
	out := projectsShown{Projects: []projectShown{}, look: e.look()}
	for _, p := range projects {
		out.Projects = append(out.Projects, e.showProject(p))
	}
	return out, nil
}

func projectShow(e *env, c *cli.Context) (result, error) {
	return e.oneProject(c, wire.ToRead, func(m *manage.Manager, id keys.ASPID) (keys.Project, error) {
		return m.Project(c.Context, id)
	})
}

func projectSuspend(e *env, c *cli.Context) (result, error) {
	return e.oneProject(c, wire.ToWrite, func(m *manage.Manager, id keys.ASPID) (keys.Project, error) {
		return m.SuspendProject(c.Context, actor(), id)
	})
}

func projectResume(e *env, c *cli.Context) (result, error) {
	return e.oneProject(c, wire.ToWrite, func(m *manage.Manager, id keys.ASPID) (keys.Project, error) {
		return m.ResumeProject(c.Context, actor(), id)
	})
}

// oneProject does something with the project that the argument names, and shows it.
func (e *env) oneProject(c *cli.Context, to wire.Intent, do func(*manage.Manager, keys.ASPID) (keys.Project, error)) (result, error) {
	id, err := keys.ParseASPID(c.Args().First())
	if err != nil {
		return nil, usageError("", "%w", err)
	}
	m, _, err := e.manager(c, to)
	if err != nil {
		return nil, err
	}
	p, err := do(m, id)
	if err != nil {
		return nil, explain(err)
	}
	return e.showProject(p), nil
}

type projectShown struct {
	ASPID      keys.ASPID       `json:"asp_id"`
	Name       string           `json:"name"`
	State      string           `json:"state"`
	CreatedAt  time.Time        `json:"created_at"`
	AccessKeys []keys.AccessKey `json:"access_keys"`
	ClientPin  string           `json:"client_pin,omitempty"` // SHA-256 of the client certificate's SubjectPublicKeyInfo
	Keys       []keyShown       `json:"keys"`
	look       look
}

func (e *env) showProject(p keys.Project) projectShown {
	out := projectShown{ASPID: p.ASPID, Name: p.Name, State: "active", CreatedAt: p.CreatedAt, ClientPin: p.ClientPin.String(),
		AccessKeys: []keys.AccessKey{}, Keys: []keyShown{}, look: e.look()}
	if p.Suspended {
		out.State = "suspended"
	}
	for _, c := range p.Credentials {
		out.AccessKeys = append(out.AccessKeys, c.AccessKey)
	}
	for _, k := range p.Keys {
		out.Keys = append(out.Keys, showKey(k))
	}
	return out
}

func (r projectShown) text(w io.Writer) error {
	fields := []string{"asp id", string(r.ASPID), "name", r.Name, "state", r.State, "created", when(r.CreatedAt)}
	for _, k := range r.AccessKeys {
		fields = append(fields, "access key", string(k))
	}
	if r.ClientPin != "" {
		fields = append(fields, "client pin", r.ClientPin)
	}
	if err := record(w, fields...); err != nil || len(r.Keys) == 0 {
		return err
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return err
	}
	return keysShown{r.Keys, r.look}.text(w)
}

type projectsShown struct {
	Projects []projectShown `json:"projects"`
	look     look
}

func (r projectsShown) text(w io.Writer) error {
	if len(r.Projects) == 0 {
		_, err := io.WriteString(w, "No projects yet. Next: kmproxy project create --asp-id ID\n")
		return err
	}
	var rows [][]string
	for _, p := range r.Projects {
		active := "-"
		for _, k := range p.Keys {
			if k.State == keys.Active.String() {
				active = string(k.KeyID)
			}
		}
		rows = append(rows, []string{string(p.ASPID), p.State, active, r.look.ago(p.CreatedAt), p.Name})
	}
	return table(w, []string{"ASP ID", "STATE", "ACTIVE KEY", "CREATED", "NAME"}, rows)
}

// when is a time as people read it.
func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// isLabel tells whether a text can stand in a table.
func isLabel(s string) bool {
	const most = 100
	return len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\ufffd' })
}
