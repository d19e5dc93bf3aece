package main

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"kmproxy/crypto/envelope"
	"kmproxy/keys"
	"kmproxy/keys/audit"
)

// fill is the content of a store that is made by hand, with an audit entry for
// each act that would have made it: one for a project and one for each key.
type fill struct {
	master  envelope.Key
	chain   audit.Key
	last    *audit.Entry
	changes []keys.Change
}

// newFill begins with what the first commit of a store adds.
func newFill(t *testing.T, master envelope.Key) *fill {
	t.Helper()
	f := &fill{master: master, chain: audit.NewKey()}
	sealed := master.Seal(envelope.Place{Record: "audit-key", Field: "key", Version: 1}, nil, f.chain.Secret().Expose())
	seal := map[string]any{"key_id": master.ID(), "created_at": filledAt}
	first := []keys.Change{{Name: "seal", Value: marshal(seal)}, {Name: "audit-key", Value: marshal(map[string]any{"version": 1, "sealed": sealed})}}
	f.changes = append(f.changes, first...)
	f.audit(t, "store fill", false, first...)
	return f
}

func (f *fill) project(t *testing.T, half halves, number, count int) {
	t.Helper()
	record := half.record(f.master, number, count)
	f.audit(t, "project create", true, keys.Change{Name: record.Name, Value: []byte("{}")})
	for i := range count {
		value := record.Value
		if i < count-1 {
			value = []byte("{}") // what stood there before the next key came
		}
		f.audit(t, "key create", true, keys.Change{Name: record.Name, Value: value})
	}
	f.changes = append(f.changes, record)
}

// audit adds the entry of an act.
func (f *fill) audit(t *testing.T, action string, told bool, wrote ...keys.Change) {
	t.Helper()
	e := audit.Entry{Time: time.Unix(0, 0).UTC(), Actor: "test", Action: action, Target: wrote[0].Name, Wrote: map[string]string{}}
	if told {
		e.Before, e.After = json.RawMessage(summary), json.RawMessage(summary)
	}
	for _, c := range wrote {
		e.Wrote[c.Name] = audit.Digest(c.Value)
	}
	e, err := f.chain.Link(f.last, e)
	if err != nil {
		t.Fatal(err)
	}
	f.last = &e
	f.changes = append(f.changes, keys.Change{Name: fmt.Sprintf("audit/%012d", e.Seq), Value: marshal(e)})
}

// summary has the size of what an entry tells of a project with two keys.
const summary = `{"state":"active","credentials":[{"access_key":"0000000000000000000000000000000000000000"}],` +
	`"keys":[{"key_id":"00000000000000000000000000000000","state":"active"},{"key_id":"00000000000000000000000000000001","state":"staged"}]}`
