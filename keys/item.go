package keys

import (
	"context"
	"encoding/json"
	"fmt"

	"kmproxy/crypto/sensitive"
)

const itemPrefix = "item/"

func itemName(name string) string { return itemPrefix + name }

// Item is a secret of the program itself, kept under the master key beside the
// projects: it is audited, backed up and re-sealed like them.
type Item struct {
	Plain  json.RawMessage // readable, and bound to the secret; one JSON document
	Secret sensitive.Bytes
}

// CreateItem keeps an item under a name of its own. Its error is ErrExists if
// there is one already, which stays as it is.
func (m *Manager) CreateItem(ctx context.Context, who Actor, name string, item Item) error {
	return m.commit(ctx, act{who, "item create", name}, func(v *view) (change, error) {
		if _, known := v.snap.Entries[itemName(name)]; known {
			return change{}, fmt.Errorf("item %s is %w", name, ErrExists)
		}
		r := record{Version: 1, Plain: item.Plain}
		r.Sealed = m.c.Master.Seal(r.place(itemName(name)), r.compact(), item.Secret.Expose())
		value, err := toJSON(r)
		if err != nil {
			return change{}, fmt.Errorf("encoding item %s: %w", name, err)
		}
		return change{records: []Change{{Name: itemName(name), Value: value}}}, nil
	})
}

// Item opens an item. The caller wipes its secret. Its error is ErrNotFound.
func (m *Manager) Item(ctx context.Context, name string) (Item, error) {
	v, err := m.view(ctx)
	if err != nil {
		return Item{}, err
	}
	entry, ok := v.snap.Entries[itemName(name)]
	if !ok {
		return Item{}, fmt.Errorf("item %s: %w", name, ErrNotFound)
	}
	r, err := readSealed(itemName(name), entry.Value)
	if err != nil {
		return Item{}, err
	}
	secret, err := r.open(m.c.Master, itemName(name))
	return Item{Plain: r.Plain, Secret: secret}, err
}
