package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"kmproxy/cmd/internal/wire"
	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
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

func projectCreate(e *env, c *cli.Context) (result, error) {
	n, err := e.newProject(c)
	if err != nil {
		return nil, err
	}
	m, _, err := e.manager(c, wire.ToWrite)
	if err != nil {
		return nil, err
	}
	issued, err := m.CreateProject(c.Context, actor(), n)
	if err != nil {
		return nil, explain(err)
	}
	return issuedProject{issued.ASPID, issued.AccessKey, string(issued.Secret.Expose()),
		"Next: kmproxy key create --asp-id " + string(issued.ASPID)}, nil
}

func (e *env) newProject(c *cli.Context) (keys.NewProject, error) {
	n := keys.NewProject{Name: c.String("name")}
	var err error
	if n.ASPID, err = keys.ParseASPID(c.String("asp-id")); err != nil {
		return n, usageError("", "--asp-id: %w", err)
	}
	if !isLabel(n.Name) {
		return n, usageError("", "--name: wants up to 100 printable characters")
	}
	if c.IsSet("access-key") {
		if n.AccessKey, err = keys.ParseAccessKey(c.String("access-key")); err != nil {
			return n, usageError("", "--access-key: %w", err)
		}
	}
	if c.IsSet("access-key") != c.IsSet("secret-key-file") {
		return n, usageError("a pair that is in use elsewhere is brought along whole", "--access-key and --secret-key-file go together")
	}
	if c.IsSet("secret-key-file") {
		n.Secret, err = e.secretFile(c.String("secret-key-file"))
	}
	return n, err
}

// secretFile reads a secret without the line's end that an editor leaves.
func (e *env) secretFile(name string) (sensitive.Bytes, error) {
	content, err := wire.ReadSecretFile(e.path(name))
	if err != nil {
		return sensitive.Bytes{}, err
	}
	defer content.Wipe()
	secret := strings.TrimRight(string(content.Expose()), "\r\n")
	if secret == "" { // or a new one would be made
		return sensitive.Bytes{}, fmt.Errorf("%s is empty", name)
	}
	return sensitive.New([]byte(secret)), nil
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
	return e.oneProject(c, wire.ToRead, func(m *keys.Manager, id keys.ASPID) (keys.Project, error) {
		return m.Project(c.Context, id)
	})
}

func projectSuspend(e *env, c *cli.Context) (result, error) {
	return e.oneProject(c, wire.ToWrite, func(m *keys.Manager, id keys.ASPID) (keys.Project, error) {
		return m.SuspendProject(c.Context, actor(), id)
	})
}

func projectResume(e *env, c *cli.Context) (result, error) {
	return e.oneProject(c, wire.ToWrite, func(m *keys.Manager, id keys.ASPID) (keys.Project, error) {
		return m.ResumeProject(c.Context, actor(), id)
	})
}

// oneProject does something with the project that the argument names, and shows it.
func (e *env) oneProject(c *cli.Context, to wire.Intent, do func(*keys.Manager, keys.ASPID) (keys.Project, error)) (result, error) {
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

// issuedProject is the only result that holds a secret.
type issuedProject struct {
	ASPID     keys.ASPID     `json:"asp_id"`
	AccessKey keys.AccessKey `json:"access_key"`
	SecretKey string         `json:"secret_key"`
	next      string
}

func (r issuedProject) text(w io.Writer) error {
	if err := record(w, "asp id", string(r.ASPID), "access key", string(r.AccessKey), "secret key", r.SecretKey); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\nThe secret key is not shown again: hand it to the service provider now.\n"+r.next+"\n")
	return err
}

type projectShown struct {
	ASPID      keys.ASPID       `json:"asp_id"`
	Name       string           `json:"name"`
	State      string           `json:"state"`
	CreatedAt  time.Time        `json:"created_at"`
	AccessKeys []keys.AccessKey `json:"access_keys"`
	Keys       []keyShown       `json:"keys"`
	look       look
}

func (e *env) showProject(p keys.Project) projectShown {
	out := projectShown{ASPID: p.ASPID, Name: p.Name, State: "active", CreatedAt: p.CreatedAt,
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
