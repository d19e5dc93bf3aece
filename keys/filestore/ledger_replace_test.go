package filestore_test

import (
	"slices"
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/filestore"
)

func TestReplaceUses(t *testing.T) {
	s, err := filestore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	use := func(n uint64) keys.Use {
		return keys.Use{ASPID: "000000000000001", KeyID: "00", Direction: "request", Alg: "A", Requests: n}
	}
	want := func(n uint64) {
		t.Helper()
		got, err := s.Uses(t.Context())
		if err != nil || !slices.Equal(got, []keys.Use{use(n)}) {
			t.Fatalf("got %+v, %v; want %d", got, err, n)
		}
	}
	replace := func(n uint64) {
		t.Helper()
		if err := s.ReplaceUses(t.Context(), []keys.Use{use(n)}); err != nil {
			t.Fatal(err)
		}
	}
	replace(7)
	want(7)
	running, before, err := s.OpenLedger(t.Context())
	if err != nil || len(before) != 1 {
		t.Fatalf("got %+v, %v", before, err)
	}
	ended, _, err := s.OpenLedger(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []keys.Ledger{running, ended} {
		if err := l.Write([]keys.Use{use(1)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := ended.Close(); err != nil {
		t.Fatal(err)
	}
	want(2)
	replace(10) // the running one goes on counting
	want(11)
	if err := running.Close(); err != nil {
		t.Fatal(err)
	}
	replace(20)
	want(20)
	if err := s.ReplaceUses(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Uses(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}
