package filestore_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kmproxy/keys"
)

// TestLedgerInAnotherFolder: what was counted goes to the folder that takes the
// place of the one before, all of it and once.
func TestLedgerInAnotherFolder(t *testing.T) {
	use := func(n uint64) []keys.Use {
		return []keys.Use{{ASPID: "A", KeyID: "k", Direction: "request", Alg: "x", Requests: n}}
	}
	for name, tt := range map[string]struct {
		copied files // of usage
		want   uint64
	}{
		"without ledgers":      {nil, 5},
		"with an older copy":   {files{"0.json": nil}, 5},
		"with that of another": {files{"0.json": []byte(`{"kmproxy_usage":1,"id":"other","uses":[{"asp_id":"A","key_id":"k","direction":"request","alg":"x","requests":7}]}`)}, 12},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "store")
			s := open(t, dir)
			commit(t, s, set("a", `1`))
			l, _ := openLedger(t, s)
			older := mustWrite(t, l, dir, use(3))
			store := files{"log.jsonl": nil, "head.json": nil}.of(t, dir)
			if err := os.Rename(dir, dir+".away"); err != nil {
				t.Fatal(err)
			}
			if err := l.Write(use(4)); !l.Lost() || !errors.Is(err, os.ErrNotExist) {
				t.Errorf("with no folder: %v", err)
			}
			if _, err := os.Lstat(dir); err == nil {
				t.Error("it made the store's folder")
			}
			write(t, dir, store)
			if copied, there := tt.copied["0.json"]; there {
				if copied == nil {
					copied = older
				}
				write(t, filepath.Join(dir, "usage"), files{"0.json": copied})
			}
			mustWrite(t, l, dir, use(5))
			if sum, err := s.Uses(t.Context()); err != nil || len(sum) != 1 || sum[0].Requests != tt.want || l.Lost() {
				t.Errorf("got %+v, %v; want %d", sum, err, tt.want)
			}
			second, before, err := open(t, dir).OpenLedger(t.Context())
			if err != nil || slices.Equal(before, use(5)) {
				t.Errorf("it is not locked: %+v, %v", before, err)
			}
			if err := errors.Join(second.Close(), l.Close()); err != nil {
				t.Error(err)
			}
		})
	}
}

func mustWrite(t *testing.T, l keys.Ledger, dir string, uses []keys.Use) []byte {
	t.Helper()
	if err := l.Write(uses); err != nil {
		t.Fatal(err)
	}
	content, _ := os.ReadFile(filepath.Join(dir, "usage", "0.json")) // only of use where it is there
	return content
}

// of is the files of a folder with these names.
func (f files) of(t *testing.T, dir string) files {
	t.Helper()
	all := files{}
	for name := range f {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = content
	}
	return all
}
