package manage

import (
	"context"

	"kmproxy/keys"
	"kmproxy/keys/audit"
	"kmproxy/keys/internal/vault"
)

// Audit returns the record of every change, the first one first. It does not
// verify it.
func (m *Manager) Audit(ctx context.Context) ([]audit.Entry, error) {
	v, err := m.vault.View(ctx)
	if err != nil {
		return nil, err
	}
	return v.Audit()
}

// VerifyAudit checks that the chain holds from its first entry on, that every
// record opens, and that every record is the one that was last audited, so that
// none was edited, put back, added or taken away. Its error names all that is
// wrong: audit.ErrBroken, keys.ErrDamaged.
func (m *Manager) VerifyAudit(ctx context.Context) (entries int, err error) {
	v, err := m.vault.View(ctx)
	if err != nil {
		return 0, err
	}
	return v.VerifyAll()
}

// Item is a secret of the program itself, kept under the master key beside the
// projects: it is audited, backed up and re-sealed like them.
type Item = vault.Item

// CreateItem keeps an item under a name of its own. Its error is keys.ErrExists if
// there is one already, which stays as it is.
func (m *Manager) CreateItem(ctx context.Context, who keys.Actor, name string, item Item) error {
	return m.vault.Commit(ctx, act(who, "item create", name), func(v *vault.View) (vault.Change, error) {
		return v.NewItem(name, item)
	})
}

// Item opens an item. The caller wipes its secret. Errors: keys.ErrNotFound,
// keys.ErrDamaged.
func (m *Manager) Item(ctx context.Context, name string) (Item, error) {
	v, err := m.vault.View(ctx)
	if err != nil {
		return Item{}, err
	}
	return v.Item(name)
}
