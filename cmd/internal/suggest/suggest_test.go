package suggest_test

import (
	"testing"

	"kmproxy/cmd/internal/suggest"
)

func TestNearest(t *testing.T) {
	words := []string{"project", "promote", "key", "max_body", "address"}
	tests := []struct{ word, want string }{
		{"project", "project"},
		{"prject", "project"},      // a letter missing
		{"projectt", "project"},    // a letter added
		{"projekt", "project"},     // a letter changed
		{"porject", "project"},     // two swapped
		{"PROMOTE", "promote"},     // letter case
		{"maxbody", "max_body"},    //
		{"adress", "address"},      //
		{"addr", "address"},        // broken off
		{"kye", "key"},             //
		{"xyz", ""},                // as long as the word itself: nothing alike
		{"", ""},                   //
		{"quite-different", ""},    //
		{"k", ""},                  // two letters of three are missing
		{"backup-and-restore", ""}, // longer than any
	}
	for _, tt := range tests {
		if got := suggest.Nearest(tt.word, words); got != tt.want {
			t.Errorf("Nearest(%q) = %q, want %q", tt.word, got, tt.want)
		}
	}
}

func TestNearestPrefersTheFirstOfEquals(t *testing.T) {
	if got := suggest.Nearest("bat", []string{"cat", "hat"}); got != "cat" {
		t.Errorf("Nearest = %q, want the first", got)
	}
}
