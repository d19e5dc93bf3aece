package manage

import (
	"context"
	"fmt"
	"time"

	"kmproxy/keys"
)

// Uses tells who used which key, at most 2 s behind the traffic.
func (m *Manager) Uses(ctx context.Context) ([]keys.Use, error) {
	uses, err := m.c.Usage(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the usage: %w", err)
	}
	return uses, nil
}

// Safety says whether a key can be taken out of use without hurting anybody,
// and why.
type Safety struct {
	Safe bool
	Why  string
}

// SafeToDiscard judges a key by its state and its uses.
func (m *Manager) SafeToDiscard(k keys.Key, uses []keys.Use) Safety {
	switch k.State {
	case keys.Staged, keys.Suspended, keys.Discarded:
		return Safety{true, "it is " + k.State.String() + ": nobody can use it"}
	case keys.Active:
		return Safety{false, "it is the active key: promote another one first"}
	}
	last, by := time.Time{}, keys.ASPID("")
	for _, u := range uses {
		if u.KeyID.Equal(k.ID) && u.LastUsed.After(last) {
			last, by = u.LastUsed, u.ASPID
		}
	}
	quiet := m.now().Sub(last)
	switch {
	case last.IsZero():
		return Safety{true, "nobody has used it as far as the ledger goes back"}
	case quiet < m.c.Quiet:
		return Safety{false, fmt.Sprintf("%s used it %v ago; quiet is %v", by, quiet.Round(time.Second), m.c.Quiet)}
	}
	return Safety{true, fmt.Sprintf("nobody has used it since %s", last.UTC().Format(time.RFC3339))}
}
