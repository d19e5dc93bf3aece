package keys

import (
	"context"
	"fmt"
	"time"
)

// Uses tells who used which key, at most 2 s behind the traffic.
func (m *Manager) Uses(ctx context.Context) ([]Use, error) {
	uses, err := m.c.Usage(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the usage: %w", err)
	}
	return uses, nil
}

// Parting says whether a key can be taken out of use without hurting anybody,
// and why.
type Parting struct {
	Safe bool
	Why  string
}

// PartWith judges a key by its state and its uses.
func (m *Manager) PartWith(k Key, uses []Use) Parting {
	switch k.State {
	case Staged, Suspended, Discarded:
		return Parting{true, "it is " + k.State.String() + ": nobody can use it"}
	case Active:
		return Parting{false, "it is the active key: promote another one first"}
	}
	last, by := time.Time{}, ASPID("")
	for _, u := range uses {
		if u.KeyID.Equal(k.ID) && u.LastUsed.After(last) {
			last, by = u.LastUsed, u.ASPID
		}
	}
	quiet := m.now().Sub(last)
	switch {
	case last.IsZero():
		return Parting{true, "nobody has used it as far as the ledger goes back"}
	case quiet < m.c.Quiet:
		return Parting{false, fmt.Sprintf("%s used it %v ago; quiet is %v", by, quiet.Round(time.Second), m.c.Quiet)}
	}
	return Parting{true, fmt.Sprintf("nobody has used it since %s", last.UTC().Format(time.RFC3339))}
}
