package alg_test

import (
	"errors"
	"slices"
	"testing"

	"kmproxy/crypto/alg"
)

var (
	keyNames = []string{"RSA-OAEP", "RSA-OAEP-256"}
	encNames = []string{"A128GCM", "A256GCM"}
)

func TestAllNamesTheWholeTable(t *testing.T) {
	keys, encs := alg.All().Names()
	if !slices.Equal(keys, keyNames) || !slices.Equal(encs, encNames) {
		t.Errorf("got %q, %q", keys, encs)
	}
	if s, err := alg.ParseSet(keys, encs); err != nil || s != alg.All() {
		t.Errorf("the names of All read as %v, %v", s, err)
	}
	if alg.All().Empty() || !alg.All().Allows(alg.Preferred()) {
		t.Error("All does not allow the preferred suite")
	}
}

// TestSetAllowsWhatItNames tries every set with every suite.
func TestSetAllowsWhatItNames(t *testing.T) {
	subsets := func(names []string) [][]string { return [][]string{names[:1], names[1:], names} }
	tried := 0
	for _, keys := range subsets(keyNames) {
		for _, encs := range subsets(encNames) {
			s, err := alg.ParseSet(keys, encs)
			if err != nil {
				t.Fatalf("%q, %q: %v", keys, encs, err)
			}
			gotKeys, gotEncs := s.Names()
			if !slices.Equal(gotKeys, keys) || !slices.Equal(gotEncs, encs) || s.Empty() {
				t.Errorf("%q, %q: read back as %q, %q", keys, encs, gotKeys, gotEncs)
			}
			for k := range alg.Key(9) {
				for e := range alg.Enc(9) {
					tried++
					want := slices.Contains(keys, k.String()) && slices.Contains(encs, e.String())
					if got := s.Allows(alg.Suite{Key: k, Enc: e}); got != want {
						t.Errorf("%q, %q: allows %v+%v: %v", keys, encs, k, e, got)
					}
				}
			}
		}
	}
	if tried != 9*81 {
		t.Errorf("%d combinations were tried", tried)
	}
}

func TestZeroSetAllowsNothing(t *testing.T) {
	var s alg.Set
	if !s.Empty() || s.Allows(alg.Preferred()) || s.Allows(alg.Suite{}) {
		t.Error("the zero set allows something")
	}
}

func TestParseSetRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		keys, encs  []string
		unsupported bool
	}{
		"no alg":                   {nil, encNames, false},
		"no enc":                   {keyNames, nil, false},
		"an alg twice":             {[]string{"RSA-OAEP", "RSA-OAEP"}, encNames, false},
		"an enc twice":             {keyNames, []string{"A128GCM", "A128GCM"}, false},
		"an unknown alg":           {[]string{"RSA-OAEP", "RSA1_5"}, encNames, true},
		"an unknown enc":           {keyNames, []string{"A128CBC-HS256"}, true},
		"an enc among the algs":    {[]string{"A128GCM"}, encNames, true},
		"an empty name":            {[]string{""}, encNames, true},
		"another case of a letter": {keyNames, []string{"a128gcm"}, true},
	} {
		s, err := alg.ParseSet(c.keys, c.encs)
		if err == nil || !s.Empty() || errors.Is(err, alg.ErrUnsupported) != c.unsupported {
			t.Errorf("%s: got %v, %v", name, s, err)
		}
	}
}
