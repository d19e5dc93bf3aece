package manage_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/filestore"
	"kmproxy/keys/keystest"
	"kmproxy/keys/manage"
)

// TestDiscardErasesFromDisk reads every byte of every file in the store's folder: the
// sealed text that held the private half is there before the discard, and no part of
// it after.
func TestDiscardErasesFromDisk(t *testing.T) {
	dir := t.TempDir()
	o := keystest.OfficeOn(t, keystest.Must(filestore.Open(dir)))
	o.AddProject(t, keystest.Alice)
	o.AddKey(t, keystest.Alice, 0, keys.Staged)
	held := sealedText(t, o.Load(t), keystest.Alice)
	keystest.Must(o.CreateProject(t.Context(), keystest.Operator, manage.NewProject{ASPID: keystest.Bob})) // what comes later goes on in the same log
	if found := filesWith(t, dir, held); len(found) == 0 {
		t.Fatal("the search does not find the sealed text before the discard")
	}
	keystest.Must(o.DiscardKey(t.Context(), keystest.Operator, keystest.KeyID(0), true))
	for from := 0; from+32 <= len(held); from += 32 {
		if found := filesWith(t, dir, held[from:from+32]); len(found) > 0 {
			t.Fatalf("%q still have the sealed private half, from byte %d of it", found, from)
		}
	}
}

// sealedText is what a project's record has sealed.
func sealedText(t *testing.T, s keys.Snapshot, id keys.ASPID) []byte {
	t.Helper()
	var record struct {
		Sealed string `json:"sealed"`
	}
	if err := json.Unmarshal(s.Entries["project/"+string(id)].Value, &record); err != nil || len(record.Sealed) < 1000 {
		t.Fatalf("a sealed text of %d bytes: %v", len(record.Sealed), err)
	}
	// the beginning names the master key and is no secret
	return []byte(record.Sealed)[bytes.LastIndexByte([]byte(record.Sealed), '.')+1:]
}

func filesWith(t *testing.T, dir string, text []byte) (found []string) {
	t.Helper()
	read := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if read += len(content); bytes.Contains(content, text) {
			found = append(found, path)
		}
		return err
	})
	if err != nil || read == 0 {
		t.Fatalf("%d bytes read: %v", read, err)
	}
	return found
}
