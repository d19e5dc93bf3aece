// Package suggest finds the word that somebody probably meant.
package suggest

import "strings"

// Nearest returns the candidate that is fewest typing slips away from word: a
// letter missing, added, changed or swapped with its neighbour, in any letter
// case; a word of three letters or more that breaks off counts as one slip. It
// returns "" when none is near enough to be meant. Of several equally
// near ones the first wins. Safe for concurrent use.
func Nearest(word string, candidates []string) string {
	best, least := "", 2+len(word)/4
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < least && d < len(c) {
			best, least = c, d
		}
	}
	return best
}

func distance(word, candidate string) int {
	d := slips(word, candidate)
	if len(word) >= 3 && strings.HasPrefix(candidate, word) {
		d = min(d, 1)
	}
	return d
}

// slips is the optimal string alignment distance, in bytes.
func slips(a, b string) int {
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			changed := row[j-1]
			if a[i-1] != b[j-1] {
				changed++
			}
			next[j] = min(changed, row[j]+1, next[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
