package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/pelletier/go-toml/v2"
	"github.com/urfave/cli/v2"

	"kmproxy/cmd/internal/config"
	"kmproxy/cmd/internal/wire"
)

// config reads the config file: the one that --config names, else
// $KMPROXY_CONFIG, else config.toml in the working folder.
func (e *env) config(c *cli.Context) (config.Config, error) {
	path := c.String("config")
	if path == "" {
		path = e.getenv("KMPROXY_CONFIG")
	}
	if path == "" {
		path = "config.toml"
	}
	cfg, err := config.Load(e.path(path))
	if _, told := errors.AsType[*config.Error](err); err != nil && !told {
		return cfg, usageError("name a file with --config; an empty one means all defaults", "%w", err)
	}
	return cfg, err
}

func configCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:  "config",
		Usage: "look at the config",
		Subcommands: []*cli.Command{{
			Name:   "check",
			Usage:  "check the config and the files it names, and print it with all defaults",
			Action: e.action(configCheck),
		}},
	}
}

func configCheck(e *env, c *cli.Context) (result, error) {
	cfg, err := e.config(c)
	if err != nil {
		return nil, err
	}
	warnings, err := wire.CheckFiles(cfg, e.world())
	if err != nil {
		return nil, err
	}
	if err := wire.CheckStore(c.Context, cfg, e.world()); err != nil {
		return nil, explain(err)
	}
	if !e.json {
		for _, w := range warnings {
			_, _ = fmt.Fprintf(e.writer(e.stderr), "kmproxy: warning: %s\n", w) // stderr is the last place to tell it
		}
	}
	return checkedConfig{true, warnings, effective{cfg}}, nil
}

// checkedConfig is a config that can be served.
type checkedConfig struct {
	OK       bool      `json:"ok"`
	Warnings []string  `json:"warnings"` // what a start would serve with, and what will be trouble
	Config   effective `json:"config"`
}

func (r checkedConfig) text(w io.Writer) error {
	_, err := io.WriteString(w, r.Config.Effective())
	return err
}

// effective is a config as JSON, with the keys of the file.
type effective struct{ config.Config }

// MarshalJSON implements json.Marshaler.
func (c effective) MarshalJSON() ([]byte, error) {
	var tree map[string]any
	if err := toml.Unmarshal([]byte(c.Effective()), &tree); err != nil {
		return nil, fmt.Errorf("reading the effective config: %w", err)
	}
	return json.Marshal(tree)
}
