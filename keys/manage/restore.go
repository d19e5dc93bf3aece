package manage

import (
	"context"
	"fmt"

	"kmproxy/keys"
	"kmproxy/keys/internal/vault"
)

// Errors of a content that is to be restored. Nothing was changed.
var (
	// ErrApart reports a store that no commit can lead to the content, because they
	// have not one history under one master key.
	ErrApart = vault.ErrApart
	// ErrForged reports a content that is not the one which was audited.
	ErrForged = vault.ErrForged
)

// OneHistory reports, without the master key, whether a store and another content
// are sealed under one master key, and the audit record of one continues that of the
// other. Its error is ErrApart with the reason.
func OneHistory(store, other keys.Snapshot) error { return vault.OneHistory(store, other) }

// Restore makes every record what it is in a content of the store at another time,
// by one commit on top of what the store holds, which a proxy follows like any other.
// The audit record stays, gets the entries that only the content has, and then one of
// the restore, whose target is the content's last entry. The content is proven first,
// as VerifyAudit does, and so are the store's entries. Errors: ErrApart, ErrForged.
func (m *Manager) Restore(ctx context.Context, who keys.Actor, content keys.Snapshot) error {
	newest, err := vault.LastEntry(content)
	if err != nil {
		return err
	}
	a := act(who, "restore", fmt.Sprintf("entry %d", newest))
	return m.vault.Commit(ctx, a, func(v *vault.View) (vault.Change, error) { return v.LeadTo(content) })
}
