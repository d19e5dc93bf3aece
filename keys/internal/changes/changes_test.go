package changes_test

import (
	"errors"
	"strings"
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/internal/changes"
)

func TestPrepareRefuses(t *testing.T) {
	valid := []byte(`{}`)
	for name, c := range map[string]struct {
		changes []keys.Change
		want    error
	}{
		"no name":             {[]keys.Change{{Value: valid}}, changes.ErrName},
		"long name":           {[]keys.Change{{Name: strings.Repeat("a", 201), Value: valid}}, changes.ErrName},
		"blank in a name":     {[]keys.Change{{Name: "a b", Value: valid}}, changes.ErrName},
		"quote in a name":     {[]keys.Change{{Name: `a"b`, Value: valid}}, changes.ErrName},
		"letter beyond ASCII": {[]keys.Change{{Name: "ä", Value: valid}}, changes.ErrName},
		"comma before -":      {[]keys.Change{{Name: ",", Value: valid}}, changes.ErrName},
		"colon after 9":       {[]keys.Change{{Name: ":", Value: valid}}, changes.ErrName},
		"empty value":         {[]keys.Change{{Name: "a", Value: []byte{}}}, changes.ErrValue},
		"half a value":        {[]keys.Change{{Name: "a", Value: []byte(`{"a":`)}}, changes.ErrValue},
		"two values":          {[]keys.Change{{Name: "a", Value: []byte(`1 2`)}}, changes.ErrValue},
		"value not UTF-8":     {[]keys.Change{{Name: "a", Value: []byte("\"\xff\"")}}, changes.ErrValue},
		"set and deleted":     {[]keys.Change{{Name: "a", Value: valid}, {Name: "a"}}, changes.ErrTwice},
		"wrong second one":    {[]keys.Change{{Name: "a", Value: valid}, {Name: "", Value: valid}}, changes.ErrName},
	} {
		t.Run(name, func(t *testing.T) {
			prepared, err := changes.Prepare(c.changes)
			if !errors.Is(err, c.want) || prepared != nil {
				t.Errorf("got %v and %v, want %v", prepared, err, c.want)
			}
		})
	}
}

func TestPrepareDoesNotQuoteValues(t *testing.T) {
	_, err := changes.Prepare([]keys.Change{{Name: "a", Value: []byte(`hunter2`)}})
	if err == nil || strings.Contains(err.Error(), "h'") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error quotes the value: %v", err)
	}
}

func TestPrepareKeepsTokens(t *testing.T) {
	for given, want := range map[string]string{
		`null`:                    `null`,
		" { \"a\" :\n [ 1 , 2 ]}": `{"a":[1,2]}`,
		`"<&> \u003c é  x"`:       `"<&> \u003c é  x"`, // nothing is escaped or unescaped
		`9999999999999999999`:     `9999999999999999999`,
		`1.0e+02`:                 `1.0e+02`,
		`{"a":1,"a":2}`:           `{"a":1,"a":2}`,
	} {
		prepared, err := changes.Prepare([]keys.Change{{Name: "a", Value: []byte(given), Erase: true}})
		if err != nil {
			t.Errorf("%s: %v", given, err)
			continue
		}
		if got := prepared[0]; string(got.Value) != want || !got.Erase || got.Name != "a" {
			t.Errorf("%s became %s (%+v), want %s", given, got.Value, got, want)
		}
	}
}

func TestApplyLeavesTheFormerSnapshot(t *testing.T) {
	before := keys.Snapshot{Revision: 4, Entries: map[string]keys.Entry{
		"gone": {Value: []byte(`1`), Revision: 2},
		"kept": {Value: []byte(`2`), Revision: 3},
	}}
	after := changes.Apply(before, []keys.Change{{Name: "gone"}, {Name: "new", Value: []byte(`3`)}})
	if len(before.Entries) != 2 || before.Revision != 4 {
		t.Errorf("the former snapshot became %v", before)
	}
	if _, there := after.Entries["gone"]; there || len(after.Entries) != 2 || after.Revision != 5 {
		t.Errorf("got %v", after)
	}
	if after.Entries["kept"].Revision != 3 || after.Entries["new"].Revision != 5 {
		t.Errorf("entries have the wrong revisions: %v", after)
	}
}
