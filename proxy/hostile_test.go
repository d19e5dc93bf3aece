package proxy_test

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kmproxy/proxy"
)

// row is one request, made from a good one by flaws, and its answer. Rows that
// pass are the controls of those that do not: they have everything but the flaw.
type row struct {
	name  string
	base  func(*world) *request
	flaws []flaw
	want  want
	alike string // rows of the same word are answered byte by byte the same
	rsa   bool   // it takes a private-key operation to refuse it
	http1 bool   // HTTP/2 has no such flaw, or its client no such request
}

// flaw edits a request.
type flaw func(*world, *request)

// want is an answer. Without a code it is net/http's own or, with 200, the
// upstream's.
type want struct {
	status     int
	code, text string
}

var passes = want{status: http.StatusOK}

// The contract's table, written down a second time.
var (
	unauthorized  = want{401, "900_001", "Unauthorized."}
	outsideWindow = want{401, "900_002", "Request time is outside the allowed window."}
	invalidKey    = want{400, "900_003", "Invalid crypto key."}
	decryptFailed = want{400, "900_004", "Decryption failed."}
	noRoute       = want{404, "900_006", "No such route."}
	noMethod      = want{405, "900_007", "No such method."}
	tooLarge      = want{413, "900_008", "Request is too large."}
	mediaType     = want{415, "900_009", "Unsupported media type."}
	overloaded    = want{503, "900_012", "Overloaded."}
)

func missing(name string) want { return want{400, "000_003", "Missing required values. " + name} }
func wrongLength(name string) want {
	return want{400, "000_015", "The length of value does not match. " + name}
}
func invalid(name string) want { return want{400, "000_002", "Invalid input parameter. " + name} }

// byServer is an answer that net/http gives to what is hardly HTTP: no handler
// sees the request.
func byServer(status int) want { return want{status: status} }

func (x want) body() string {
	return fmt.Sprintf(`{"response":{"code":"%s","description":"%s"}}`, x.code, x.text)
}

var themes = map[string]func() []row{
	"framing": framingRows, "route": routeRows, "header": headerRows, "caller": callerRows, "time": timeRows,
	"key": keyRows, "wrapper": wrapperRows, "jwe": jweRows,
}

// serverErrors are the only two answers of 500 and above that a request can
// bring about. They are net/http's, are given before there is a request to
// handle, and are what RFC 9112 §6.1 and RFC 9110 §15.6.6 ask for.
var serverErrors = []int{http.StatusNotImplemented, http.StatusHTTPVersionNotSupported}

func TestHostileRequests(t *testing.T) {
	w := newWorld(t)
	hostile, overHTTP2 := 0, 0
	alike := map[string]map[string][]string{}
	for _, theme := range slices.Sorted(maps.Keys(themes)) {
		passing := 0
		for _, r := range themes[theme]() {
			if r.want == passes {
				passing++
			} else {
				hostile++
			}
			t.Run(theme+"/"+r.name, func(t *testing.T) {
				got := w.try(t, r, func(q *request) reply { return w.overHTTP1(t, q.bytes()) })
				if r.alike != "" {
					if alike[r.alike] == nil {
						alike[r.alike] = map[string][]string{}
					}
					text := withoutDate(got.raw)
					alike[r.alike][text] = append(alike[r.alike][text], r.name)
				}
				if second, ok := r.make(w).http2(w); ok && !r.http1 {
					overHTTP2++
					w.try(t, r, func(*request) reply { return w.overHTTP2(t, second) })
				}
			})
		}
		if passing == 0 {
			t.Errorf("theme %s has no row that passes", theme)
		}
	}
	t.Logf("%d hostile requests over HTTP/1.1; %d of all rows also over HTTP/2", hostile, overHTTP2)
	if hostile < 100 || overHTTP2 < 100 {
		t.Errorf("only %d hostile requests, %d rows over HTTP/2", hostile, overHTTP2)
	}
	checkAlike(t, alike)
	checkLog(t, w.Log.String())
}

func (r row) make(w *world) *request {
	q := r.base(w)
	for _, f := range r.flaws {
		f(w, q)
	}
	return q
}

// try sends a row's request and checks the answer and everything around it.
func (w *world) try(t *testing.T, r row, send func(*request) reply) reply {
	t.Helper()
	q := r.make(w)
	calls, outcomes := w.Upstream.Calls(), w.Outcomes.Total()
	got := send(q)
	if got.status != r.want.status {
		t.Fatalf("status %d, want %d: %s", got.status, r.want.status, got.body)
	}
	if got.status >= 500 && r.want != overloaded && !slices.Contains(serverErrors, got.status) {
		t.Errorf("a request brought about status %d", got.status)
	}
	switch {
	case r.want == passes:
		w.wantOutcome(t, outcomes, proxy.Outcome{Status: http.StatusOK})
		calls++
	case r.want.code == "":
		if !got.closed {
			t.Error("the connection stays open after broken framing")
		}
	default:
		w.wantOutcome(t, outcomes, proxy.Outcome{Status: r.want.status, Code: r.want.code})
		checkError(t, q, r.want, got)
	}
	if w.Upstream.Calls() != calls {
		t.Errorf("the upstream was called %d times, want %d", w.Upstream.Calls(), calls)
	}
	if more := w.Outcomes.Total() - outcomes; more > 1 || more == 1 && r.want.code == "" && r.want != passes {
		t.Errorf("one request had %d outcomes", more)
	}
	return got
}

// wantOutcome waits for the next outcome, which may be counted just behind the answer.
func (w *world) wantOutcome(t *testing.T, before int, want proxy.Outcome) {
	t.Helper()
	for end := time.Now().Add(deadline); w.Outcomes.Total() == before && time.Now().Before(end); {
		time.Sleep(100 * time.Microsecond)
	}
	got := w.Outcomes.Since(before)
	if len(got) != 1 || got[0].Status != want.Status || got[0].Code != want.Code {
		t.Errorf("outcomes %+v, want one of status %d and code %q", got, want.Status, want.Code)
	}
}

// checkError holds an answer to the contract, to the last header.
func checkError(t *testing.T, q *request, x want, got reply) {
	t.Helper()
	if got.body != x.body() {
		t.Errorf("answered %s, want %s", got.body, x.body())
	}
	h := http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"},
		"Content-Length": {fmt.Sprint(len(x.body()))}, "Date": got.header["Date"]}
	if id := q.correlationID(); id != "" {
		h["X-Km-Correlation-Id"] = []string{id}
	}
	if got.header["Connection"] != nil {
		h["Connection"] = []string{"close"}
	}
	switch x {
	case noMethod:
		h["Allow"] = got.header["Allow"] // TestAllow
	case overloaded:
		h["Retry-After"] = []string{"1"}
	}
	if !maps.EqualFunc(got.header, h, slices.Equal) {
		t.Errorf("headers %q, want %q", got.header, h)
	}
}

var validCorrelationID = regexp.MustCompile(`^[0-9]{12}-[0-9a-fA-F]{7}$`)

// correlationID is what an answer echoes: the request's, if it has one valid one.
func (r *request) correlationID() string {
	var found []string
	for _, f := range r.fields {
		if strings.EqualFold(f.name, "X-KM-Correlation-Id") {
			found = append(found, f.value)
		}
	}
	if len(found) != 1 || !validCorrelationID.MatchString(found[0]) {
		return ""
	}
	return found[0]
}
