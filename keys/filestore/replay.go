package filestore

import (
	"cmp"
	"fmt"

	"kmproxy/keys"
	"kmproxy/keys/internal/changes"
	"kmproxy/keys/internal/cores"
)

// parse verifies and takes apart lines that follow one with the sum prev, and
// returns the last sum. Each line needs only the sum that the line before it
// claims, so that all processors share the work. Its errors are flaws; first is
// the number of the first line.
func parse(prev string, lines [][]byte, first int) (records []record, last string, err error) {
	records = make([]record, len(lines))
	failed := make([]error, len(lines))
	cores.Each(len(lines), func(i int) {
		records[i], failed[i] = parseLine(sumBefore(prev, lines, i), lines[i], first+i)
	})
	if err := cmp.Or(failed...); err != nil {
		return nil, "", err
	}
	return records, string(sumBefore(prev, lines, len(lines))), nil
}

func sumBefore(prev string, lines [][]byte, i int) []byte {
	if i == 0 {
		return []byte(prev)
	}
	_, sum, _ := takeApart(lines[i-1])
	return sum
}

func parseLine(prev, line []byte, number int) (record, error) {
	content, _, wrong := unseal(prev, line)
	r, ok := scanRecord(content)
	if wrong == "" && !ok {
		wrong = "it is not a line of the form kmproxy_store 1"
	}
	if wrong != "" {
		return record{}, recordFlaw(number, r, wrong)
	}
	return r, nil
}

// replay turns the lines after the header into the state they lead to.
func replay(h header, records []record) (keys.Snapshot, error) {
	const first = 2 // the line after the header
	if len(records) < h.kept {
		return keys.Snapshot{}, flaw{line: first + len(records), what: fmt.Sprintf("the log ends before %d entries", h.kept)}
	}
	snap := keys.Snapshot{Revision: h.rev, Entries: make(map[string]keys.Entry, len(records))}
	for i, r := range records[:h.kept] {
		if r.at != "" || r.rev == 0 || r.rev > h.rev || len(r.changes) != 1 || r.changes[0].Value == nil {
			return keys.Snapshot{}, recordFlaw(first+i, r, "it is not an entry that a rewrite kept")
		}
		changes.Into(snap.Entries, r.rev, r.changes)
	}
	if len(snap.Entries) != h.kept {
		return keys.Snapshot{}, flaw{line: 1, what: "an entry was kept twice"}
	}
	return snap, follow(&snap, records[h.kept:], first+h.kept)
}

// follow applies commits to a snapshot that nobody else sees yet.
func follow(snap *keys.Snapshot, commits []record, first int) error {
	for i, r := range commits {
		if r.at == "" || r.rev != snap.Revision+1 {
			return recordFlaw(first+i, r, fmt.Sprintf("it is not the commit that follows revision %d", snap.Revision))
		}
		changes.Into(snap.Entries, r.rev, r.changes)
		snap.Revision = r.rev
	}
	return nil
}
