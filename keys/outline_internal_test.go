package keys

import (
	"bytes"
	"strings"
	"testing"

	"kmproxy/crypto/envelope"
	"kmproxy/crypto/sensitive"
)

// TestOurRecordsAreShownQuickly: the quick way takes what encode writes, and what
// it does not take is still read where it is genuine.
func TestOurRecordsAreShownQuickly(t *testing.T) {
	master, err := envelope.FromKeyFile(envelope.NewKeyFile())
	if err != nil {
		t.Fatal(err)
	}
	made := Project{ASPID: "A00000000000001", Name: `with "quotes", ,"sealed":" and {`, Credentials: []Credential{
		{AccessKey: AccessKey(strings.Repeat("k", AccessKeyLen)), secret: sensitive.New([]byte("a secret"))}}}
	value, err := encode(master, made)
	if err != nil {
		t.Fatal(err)
	}
	name := projectName(made.ASPID)
	if p, ok := showQuickly(master, name, value); !ok || p.Name != made.Name {
		t.Errorf("it is not taken: %s", value)
	}
	for how, other := range map[string][]byte{
		"with blanks":     bytes.Replace(value, []byte(`,"plain":`), []byte(`, "plain": `), 1),
		"with a line end": append(bytes.Clone(value), '\n'),
	} {
		if _, ok := showQuickly(master, name, other); ok {
			t.Errorf("%s: it is taken", how)
		}
		if p, err := show(master, name, other); err != nil || p.Name != made.Name {
			t.Errorf("%s: %v", how, err)
		}
	}
	if _, ok := showQuickly(master, "project/B00000000000001", value); ok {
		t.Error("it is taken under another name")
	}
}
