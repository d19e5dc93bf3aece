package vault

import (
	"encoding/json"
	"fmt"

	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
)

const itemPrefix = "item/"

func itemName(name string) string { return itemPrefix + name }

// Item is a secret of the program itself, kept under the master key beside the
// projects: it is audited, backed up and re-sealed like them.
type Item struct {
	Plain  json.RawMessage // readable, and bound to the secret; one JSON document
	Secret sensitive.Bytes
}

// NewItem is the change that keeps an item under a name of its own. Its error is
// keys.ErrExists if there is one already, which stays as it is.
func (v *View) NewItem(name string, item Item) (Change, error) {
	if _, known := v.Entries[itemName(name)]; known {
		return Change{}, fmt.Errorf("item %s is %w", name, keys.ErrExists)
	}
	r := record{Version: 1, Plain: item.Plain}
	r.Sealed = v.Master.Seal(r.place(itemName(name)), r.compact(), item.Secret.Expose())
	value, err := JSON(r)
	if err != nil {
		return Change{}, fmt.Errorf("encoding item %s: %w", name, err)
	}
	return Change{Records: []keys.Change{{Name: itemName(name), Value: value}}}, nil
}

// Item opens an item. The caller wipes its secret. Errors: keys.ErrNotFound,
// keys.ErrDamaged.
func (v *View) Item(name string) (Item, error) {
	entry, ok := v.Entries[itemName(name)]
	if !ok {
		return Item{}, fmt.Errorf("item %s: %w", name, keys.ErrNotFound)
	}
	r, err := readSealed(itemName(name), entry.Value)
	if err != nil {
		return Item{}, err
	}
	secret, err := r.open(v.Master, itemName(name))
	return Item{Plain: r.Plain, Secret: secret}, err
}
