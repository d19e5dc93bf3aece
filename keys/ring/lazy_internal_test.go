package ring

import (
	"testing"

	"kmproxy/crypto/envelope"
	"kmproxy/crypto/sensitive/sensitivetest"
)

// TestMasterKeyDoesNotPrint: what a member holds to open its secrets later.
func TestMasterKeyDoesNotPrint(t *testing.T) {
	file := envelope.NewKeyFile()
	master, err := envelope.FromKeyFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lazy := newLazySecrets("project/A00000000000001", []byte("{}"), master)
	sensitivetest.Hidden(t, file.Expose(), lazy)
	sensitivetest.Hidden(t, file.Expose(), &Member{secrets: lazy})
}
