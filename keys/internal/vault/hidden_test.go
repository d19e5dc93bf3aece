package vault

import (
	"bytes"
	"encoding/json"
	"testing"

	"kmproxy/keys"
)

// TestHiddenIsJSON: what is sealed is what encoding/json makes of it, in memory that
// was never moved, so that clearing it leaves no copy.
func TestHiddenIsJSON(t *testing.T) {
	for _, s := range []secrets{
		{SecretKeys: map[keys.AccessKey][]byte{}, PrivateKeys: map[keys.KeyID][]byte{}},
		{SecretKeys: map[keys.AccessKey][]byte{"b": []byte("x"), "a": nil}, PrivateKeys: map[keys.KeyID][]byte{"<&\"": bytes.Repeat([]byte{7}, 1218)}},
		{SecretKeys: map[keys.AccessKey][]byte{"a": {}}, PrivateKeys: map[keys.KeyID][]byte{"1": {1}, "2": {1, 2}, "3": {1, 2, 3}}},
	} {
		want, err := json.Marshal(s)
		if got := s.hidden(); err != nil || !bytes.Equal(got, want) {
			t.Errorf("got %s, want %s, %v", got, want, err)
		}
		room := roomFor(s.SecretKeys) + roomFor(s.PrivateKeys) + len(`{"secret_keys":{},"private_keys":{}}`)
		if len(want) > room {
			t.Errorf("%d bytes in room for %d", len(want), room)
		}
	}
}
