package proxy_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kmproxy/proxy"
	"kmproxy/proxy/proxytest"
)

var dateLine = regexp.MustCompile(`(?m)^Date: [^\r\n]*\r\n`)

func withoutDate(raw string) string { return dateLine.ReplaceAllString(raw, "") }

// checkAlike checks that the answers of each group are equal, to the last byte of header
// and body, and that there is a group for each thing that must not be revealed.
func checkAlike(t *testing.T, groups map[string]map[string][]string) {
	t.Helper()
	if got := slices.Sorted(maps.Keys(groups)); !slices.Equal(got, []string{alikeJWE, alikeKey, alikeStranger}) {
		t.Errorf("groups of answers: %q", got)
	}
	for group, answers := range groups {
		rows := 0
		for _, names := range answers {
			rows += len(names)
		}
		if len(answers) != 1 || rows < 8 {
			t.Errorf("%s: %d rows have %d answers: %q", group, rows, len(answers), answers)
		}
	}
}

// The groups of rows that are answered byte by byte the same.
const (
	alikeStranger = "who is calling"
	alikeKey      = "which keys there are"
	alikeJWE      = "what is inside a JWE"
)

// checkLog: whatever was sent, every line of the log is one record.
func checkLog(t *testing.T, log string) {
	t.Helper()
	lines := 0
	for line := range strings.Lines(log) {
		var record struct {
			Msg    string
			Reason string
			Code   string
		}
		if err := json.Unmarshal([]byte(line), &record); err != nil || record.Msg == "" {
			t.Errorf("not a record: %q", line)
		}
		if record.Msg == "request" && record.Code == "900_004" && record.Reason == "" {
			t.Errorf("a failed decryption without a reason for the operator: %s", line)
		}
		lines++
	}
	if lines == 0 {
		t.Error("nothing was logged")
	}
}

// TestConnectionsStayInStep sends a good request behind each hostile one on the
// same connection. Where that was not closed, the good one is answered for
// itself: nothing of the first was taken for a part of it, or for a third.
func TestConnectionsStayInStep(t *testing.T) {
	w := newWorld(t)
	stayed, left := 0, 0
	for _, theme := range slices.Sorted(maps.Keys(themes)) {
		for _, r := range themes[theme]() {
			t.Run(theme+"/"+r.name, func(t *testing.T) {
				conn := w.dial(t)
				defer func() { _ = conn.Close() }() // it is of no further use
				go func() { _, _ = conn.Write(r.make(w).bytes()) }()
				var raw bytes.Buffer
				from := bufio.NewReader(io.TeeReader(conn, &raw))
				if first := readReply(t, from, &raw); first.closed {
					left++
					return
				}
				stayed++
				calls := w.Upstream.Calls()
				good := plainRequest(w)
				if _, err := conn.Write(good.bytes()); err != nil {
					t.Fatal(err)
				}
				if second := readReply(t, from, &raw); second.status != http.StatusOK || w.Upstream.Calls() != calls+1 {
					t.Errorf("the good request behind it: %d %s", second.status, second.body)
				}
				if got := w.Upstream.Last(t); string(got.Body) != plaintext || got.URI != proxytest.ARSPath {
					t.Errorf("the upstream got %s %q", got.URI, got.Body)
				}
			})
		}
	}
	t.Logf("%d connections stayed open, %d were closed", stayed, left)
	if stayed < 100 || left < 20 {
		t.Errorf("only %d connections stayed open, %d were closed", stayed, left)
	}
}

var wrapperBegins = regexp.MustCompile(`^\s*\{\s*"encData"`)

// TestNoPrivateKeyForTheRefused repeats the hostile requests while every place
// for a private-key operation is taken: a row that is refused before the JWE is
// opened gets the same answer as before, at once, so that no private key had a
// part in it; all others get "overloaded".
func TestNoPrivateKeyForTheRefused(t *testing.T) {
	w := newWorld(t, func(c *proxy.Config) { c.Queue = hasty() })
	w.Proxy.Proxy.FillPool()
	with, without := 0, 0
	for _, theme := range slices.Sorted(maps.Keys(themes)) {
		for _, r := range themes[theme]() {
			if r.rsa || r.want == passes && wrapperBegins.Match(r.make(w).body) {
				r.want = overloaded
				with++
			} else {
				without++
			}
			t.Run(theme+"/"+r.name, func(t *testing.T) {
				w.try(t, r, func(q *request) reply { return w.overHTTP1(t, q.bytes()) })
			})
		}
	}
	t.Logf("%d requests were answered without a private key, %d needed it", without, with)
	if with < 20 || without < 100 {
		t.Errorf("only %d requests without, %d with a private key", without, with)
	}
}
