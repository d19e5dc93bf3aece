package arsdemo_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"kmproxy/cmd/internal/arsdemo"
)

func TestAnswers(t *testing.T) {
	tests := []struct {
		body string
		code string
	}{
		{`{"userId":1}`, "000_000"},
		{`{"userId":9999999999999999999}`, "000_000"},
		{" {\n\"userId\" : 9223372036854775808 } ", "000_000"},
		{`{"userId":1,"other":[1,2]}`, "000_000"},
		{`{"userId":0}`, "000_002"},
		{`{"userId":-1}`, "000_002"},
		{`{"userId":10000000000000000000}`, "000_002"},
		{`{"userId":1.5}`, "000_002"},
		{`{"userId":1e3}`, "000_002"},
		{`{"userId":"1"}`, "000_002"},
		{`{"userId":null}`, "000_002"},
		{`{}`, "000_002"},
		{`{"userId":1} {"userId":2}`, "000_002"},
		{`[1]`, "000_002"},
		{``, "000_002"},
	}
	for _, tt := range tests {
		var seen string
		h := arsdemo.Handler(func(_ *http.Request, body []byte) { seen = string(body) })
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, arsdemo.Path, strings.NewReader(tt.body)))
		var got struct {
			AuthNumber string
			Response   struct{ Code string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("%s: %v", tt.body, err)
		}
		if got.Response.Code != tt.code || (w.Code == http.StatusOK) != (tt.code == "000_000") {
			t.Errorf("%s: %d %s, want %s", tt.body, w.Code, got.Response.Code, tt.code)
		}
		if wants := tt.code == "000_000"; regexp.MustCompile(`^\d\d$`).MatchString(got.AuthNumber) != wants {
			t.Errorf("%s: authNumber %q", tt.body, got.AuthNumber)
		}
		if seen != tt.body {
			t.Errorf("the service saw %q, was sent %q", seen, tt.body)
		}
	}
}
