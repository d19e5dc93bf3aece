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

// replay is a log on its way to the state that it leads to. What it was given so
// far is applied to a snapshot that nobody else sees yet.
type replay struct {
	header header
	snap   keys.Snapshot
	kept   int    // entries that a rewrite kept and that are still to come
	last   string // sum of the line before
	line   int    // number of the next one; 1 is the header
}

func (l *logFile) replay() *replay {
	room := min(l.header.kept, int(l.size)/keptLen, maxRoom) // a forged header may claim any number
	return &replay{header: l.header, kept: l.header.kept, last: l.headerSum, line: 2,
		snap: keys.Snapshot{Revision: l.header.rev, Entries: make(map[string]keys.Entry, room)}}
}

// add goes on with lines that follow the ones before. Its errors are flaws.
func (r *replay) add(lines [][]byte) error {
	records, last, err := parse(r.last, lines, r.line)
	if err != nil {
		return err
	}
	for _, one := range records {
		if r.kept > 0 {
			err = r.keep(one)
		} else {
			err = r.follow(one)
		}
		if err != nil {
			return err
		}
		r.line++
	}
	r.last = last
	return nil
}

func (r *replay) keep(one record) error {
	if one.at != "" || one.rev == 0 || one.rev > r.header.rev || len(one.changes) != 1 || one.changes[0].Value == nil {
		return recordFlaw(r.line, one, "it is not an entry that a rewrite kept")
	}
	if _, twice := r.snap.Entries[one.changes[0].Name]; twice {
		return recordFlaw(r.line, one, "the entry was kept twice")
	}
	changes.Into(r.snap.Entries, one.rev, one.changes)
	r.kept--
	return nil
}

func (r *replay) follow(one record) error {
	if one.at == "" || one.rev != r.snap.Revision+1 {
		return recordFlaw(r.line, one, fmt.Sprintf("it is not the commit that follows revision %d", r.snap.Revision))
	}
	changes.Into(r.snap.Entries, one.rev, one.changes)
	r.snap.Revision = one.rev
	return nil
}

// end tells what is missing if there are no more lines.
func (r *replay) end() error {
	if r.kept > 0 {
		return flaw{line: r.line, what: fmt.Sprintf("the log ends before %d entries", r.header.kept)}
	}
	return nil
}
