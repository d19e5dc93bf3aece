package kona_test

import (
	"testing"

	"kmproxy/proxy/kona"
)

// TestErrors: the caller gets status, code, text and name; the operator gets the
// reason too.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		err            *kona.Error
		status         int
		body, operator string
	}{
		{
			kona.RefuseNamed(kona.MissingValue, "X-KM-Tran-Time", ""), 400,
			`{"response":{"code":"000_003","description":"Missing required values. X-KM-Tran-Time"}}`,
			"000_003 Missing required values. X-KM-Tran-Time",
		},
		{
			kona.RefuseNamed(kona.InvalidInput, "body", "it is long"), 400,
			`{"response":{"code":"000_002","description":"Invalid input parameter. body"}}`,
			"000_002 Invalid input parameter. body (it is long)",
		},
		{
			kona.Refuse(kona.Unauthorized, "the project is suspended"), 401,
			`{"response":{"code":"900_001","description":"Unauthorized."}}`,
			"900_001 Unauthorized. (the project is suspended)",
		},
	} {
		if c.err.Status() != c.status || string(c.err.Body()) != c.body || c.err.Error() != c.operator {
			t.Errorf("got %d %s, %q", c.err.Status(), c.err.Body(), c.err)
		}
	}
}
