package filestore_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kmproxy/keys"
	"kmproxy/keys/filestore"
)

func TestLedgersOfSeveralProcesses(t *testing.T) {
	dir := t.TempDir()
	s, err := filestore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	use := keys.Use{ASPID: "A", KeyID: "k", Direction: "request", Alg: "x", Requests: 2, LastUsed: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	first, before := openLedger(t, s)
	second, _ := openLedger(t, s)
	if len(before) != 0 {
		t.Errorf("a new ledger has %+v", before)
	}
	for _, l := range []keys.Ledger{first, second} {
		if err := l.Write([]keys.Use{use}); err != nil {
			t.Fatal(err)
		}
	}
	if sum, err := s.Uses(t.Context()); err != nil || len(sum) != 1 || sum[0].Requests != 4 {
		t.Errorf("got %+v, %v", sum, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, before := openLedger(t, s)
	if len(before) != 1 || before[0] != use {
		t.Errorf("the next process goes on from %+v", before)
	}
	for _, l := range []keys.Ledger{again, second} {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

func openLedger(t *testing.T, s *filestore.Store) (keys.Ledger, []keys.Use) {
	t.Helper()
	l, before, err := s.OpenLedger(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return l, before
}

func TestTornLedgerIsNamed(t *testing.T) {
	dir := t.TempDir()
	s, err := filestore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	l, _ := openLedger(t, s)
	if err := errors.Join(l.Write(nil), l.Close()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "usage", "0.json"), []byte(`{"kmproxy_us`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Uses(t.Context()); !errors.Is(err, keys.ErrDamaged) {
		t.Errorf("got %v", err)
	}
	if _, _, err := s.OpenLedger(t.Context()); !errors.Is(err, keys.ErrDamaged) {
		t.Errorf("got %v", err)
	}
}
