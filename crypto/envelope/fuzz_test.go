package envelope_test

import (
	"errors"
	"testing"

	"kmproxy/crypto/envelope"
	"kmproxy/crypto/sensitive"
)

// FuzzOpen checks that only a text that was sealed opens, and only in its own place.
// The text is a constant, because fuzzing takes several processes.
func FuzzOpen(f *testing.F) {
	key, err := envelope.FromKeyFile(sensitive.New([]byte(goldenKeyFile)))
	if err != nil {
		f.Fatal(err)
	}
	where := goldenPlace()
	f.Add(goldenText, where.Record, where.Field, where.Version, []byte(goldenBeside))
	f.Add(goldenText+"\n", where.Record, where.Field, where.Version, []byte(goldenBeside))
	f.Add(goldenText, where.Record+"s", "ecrets", where.Version, []byte(goldenBeside))
	f.Add(goldenText, "", "", uint64(0), []byte(nil))
	f.Add("km1."+key.ID()+".", "", "", uint64(0), []byte(nil))
	f.Fuzz(func(t *testing.T, text, record, field string, version uint64, plain []byte) {
		at := envelope.Place{Record: record, Field: field, Version: version}
		got, err := key.Open(at, plain, text)
		switch {
		case err == nil && (text != goldenText || at != where || string(plain) != goldenBeside):
			t.Errorf("a text that was never sealed opened to %d bytes", got.Len())
		case err != nil && !errors.Is(err, envelope.ErrSealed) && !errors.Is(err, envelope.ErrOtherKey):
			t.Errorf("unexpected error: %v", err)
		}
		if _, known := envelope.KeyID(text); !known && !errors.Is(err, envelope.ErrSealed) {
			t.Errorf("a text without a key id: %v", err)
		}
		again, err := key.Open(at, plain, key.Seal(at, plain, []byte(text)))
		if err != nil || !again.Equal([]byte(text)) {
			t.Errorf("a sealed text does not open: %v", err)
		}
	})
}
