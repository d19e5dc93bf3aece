package wire

import (
	"errors"
	"slices"
	"strings"
)

// ready tells why the proxy should get no requests now, or what will be trouble
// later. A store that cannot be followed is a reason only if the config says so:
// all that was there before can still be served.
func (g *Gateway) ready() (note string, err error) {
	if g.stopping.Load() {
		return "", errors.New("stopping")
	}
	now := g.current.Load()
	var notes []string
	if store := now.keys.note(now.config); store != "" {
		notes = append(notes, store)
		if now.keys.tooStale(now.config) {
			return "", errors.New(store)
		}
	}
	if g.acme != nil {
		certificate, err := g.acme.Ready(g.world.Now())
		if err != nil {
			return "", err
		}
		notes = append(notes, certificate)
	}
	for _, url := range now.handler.Upstream().Trouble() {
		notes = append(notes, url+" is passed over")
	}
	notes = append(notes, notesOf(now.watched, g.world.Now())...)
	if err := g.replay.Trouble(); err != nil {
		notes = append(notes, err.Error())
	}
	notes = slices.DeleteFunc(notes, func(line string) bool { return line == "" })
	return strings.Join(notes, "\n"), nil
}
