package manage_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"runtime/debug"
	"testing"

	"kmproxy/crypto/sensitive/sensitivetest"
	"kmproxy/keys/keystest"
	"kmproxy/keys/manage"
)

// TestRecordsLeaveNoTrace looks through all memory of the process for a project's
// secret as records hold it, in base64, and for a secret itself, after a manager wrote
// the record, read it and changed it.
func TestRecordsLeaveNoTrace(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which would take traces away by chance
	sensitivetest.WithoutTrace(t, func() error { return searchRecords(t) })
}

func searchRecords(t *testing.T) error {
	t.Helper()
	o := keystest.NewOffice(t)
	given := []byte(rand.Text() + "/1234") // base64 of it has no padding
	encoded := []byte(base64.StdEncoding.EncodeToString(given))
	asRecord, plain := sensitivetest.NewTrace(encoded), sensitivetest.NewTrace(given)
	if asRecord.Found(t) == 0 {
		t.Fatal("the search finds nothing")
	}
	clear(encoded)
	left := asRecord.Found(t) // the text that the test made
	n := manage.NewProject{ASPID: keystest.Alice, Secret: secret(string(given))}
	issued := keystest.Must(o.CreateProject(t.Context(), keystest.Operator, n))
	keystest.Must(o.SuspendProject(t.Context(), keystest.Operator, keystest.Alice))
	keystest.Must(o.ResumeProject(t.Context(), keystest.Operator, keystest.Alice))
	if found := asRecord.Found(t); found > left {
		return fmt.Errorf("the record's form of the secret is found %d times, %d of them the test's", found, left)
	}
	if plain.Found(t) == 0 {
		t.Error("the search does not find what is still held")
	}
	n.Secret.Wipe()
	issued.Secret.Wipe()
	return nil
}
