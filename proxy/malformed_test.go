package proxy_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// malformed are answers that break HTTP/1.1's framing or grammar, and the reason in
// the log. Behind each the connection stays open, unless it is cut.
var malformed = []struct {
	name, answer, reason string
	cut                  bool
}{
	// the status line
	{"no version", "200 OK\r\n\r\n{}", "no HTTP version", false},
	{"HTTP/2.0", "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", "no HTTP version", false},
	{"HTTP/1.2", "HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\n{}", "no HTTP version", false},
	{"HTTP/0.9", "HTTP/0.9 200 OK\r\nContent-Length: 2\r\n\r\n{}", "no HTTP version", false},
	{"HTTP/01.1", "HTTP/01.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "no HTTP version", false},
	{"http/1.1", "http/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "no HTTP version", false},
	{"ICY", "ICY 200 OK\r\nContent-Length: 2\r\n\r\n{}", "no HTTP version", false},
	{"a blank line first", "\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "no HTTP version", false},
	{"a blank first", " HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "no HTTP version", false},
	{"a tab behind the version", "HTTP/1.1\t200 OK\r\nContent-Length: 2\r\n\r\n{}", "no HTTP version", false},
	{"two blanks behind the version", "HTTP/1.1  200 OK\r\nContent-Length: 2\r\n\r\n{}", "status of three digits", false},
	{"no status", "HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", "status of three digits", false},
	{"status 20", "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\n{}", "status of three digits", false},
	{"status 0200", "HTTP/1.1 0200 OK\r\nContent-Length: 2\r\n\r\n{}", "status of three digits", false},
	{"status +20", "HTTP/1.1 +20 OK\r\nContent-Length: 2\r\n\r\n{}", "status of three digits", false},
	{"status 2x0", "HTTP/1.1 2x0 OK\r\nContent-Length: 2\r\n\r\n{}", "status of three digits", false},
	{"status 099", "HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\n{}", "status of three digits", false},
	{"status 600", "HTTP/1.1 600 OK\r\nContent-Length: 2\r\n\r\n{}", "status outside 200 to 599", false},
	{"status with a point", "HTTP/1.1 200.1 OK\r\nContent-Length: 2\r\n\r\n{}", "status of three digits", false},
	{"NUL in the reason", "HTTP/1.1 200 O\x00K\r\nContent-Length: 2\r\n\r\n{}", "control character in its status line", false},
	{"escape in the reason", "HTTP/1.1 200 \x1b[2JOK\r\nContent-Length: 2\r\n\r\n{}", "control character in its status line", false},
	{"CR in the reason", "HTTP/1.1 200 O\rK\r\nContent-Length: 2\r\n\r\n{}", "control character in its status line", false},
	{"DEL in the reason", "HTTP/1.1 200 O\x7fK\r\nContent-Length: 2\r\n\r\n{}", "control character in its status line", false},
	{"101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n{}", "switches to another protocol", false},
	{"six interim answers", strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 6) + goodAnswer, "too many interim answers", false},
	{"interim answers of 80 KiB", strings.Repeat("HTTP/1.1 103 Early Hints\r\nX: "+strings.Repeat("x", 20<<10)+"\r\n\r\n", 4) + goodAnswer, "more bytes than kmproxy takes", false},

	// header lines
	{"bare LF behind the status line", "HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\n{}", "does not end in CR LF", false},
	{"bare LF behind a header", "HTTP/1.1 200 OK\r\nContent-Length: 2\n\r\n{}", "does not end in CR LF", false},
	{"bare LF behind the headers", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\n{}", "does not end in CR LF", false},
	{"LF alone", "HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", "does not end in CR LF", false},
	{"a blank before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n{}", "header name", false},
	{"a tab before the colon", "HTTP/1.1 200 OK\r\nX-A\t: 2\r\nContent-Length: 2\r\n\r\n{}", "header name", false},
	{"a blank in a name", "HTTP/1.1 200 OK\r\nX A: 2\r\nContent-Length: 2\r\n\r\n{}", "header name", false},
	{"an empty name", "HTTP/1.1 200 OK\r\n: 2\r\nContent-Length: 2\r\n\r\n{}", "header name", false},
	{"a name in brackets", "HTTP/1.1 200 OK\r\n<X>: 2\r\nContent-Length: 2\r\n\r\n{}", "header name", false},
	{"a letter of none in a name", "HTTP/1.1 200 OK\r\nX-\xc3\xa9: 2\r\nContent-Length: 2\r\n\r\n{}", "header name", false},
	{"NUL in a name", "HTTP/1.1 200 OK\r\nX\x00: 2\r\nContent-Length: 2\r\n\r\n{}", "header name", false},
	{"no colon", "HTTP/1.1 200 OK\r\nbroken\r\nContent-Length: 2\r\n\r\n{}", "without a colon", false},
	{"a folded line", "HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 2\r\n\r\n{}", "folded", false},
	{"a folded line, by a tab", "HTTP/1.1 200 OK\r\nX-A: 1\r\n\t2\r\nContent-Length: 2\r\n\r\n{}", "folded", false},
	{"a fold before the headers", "HTTP/1.1 200 OK\r\n X-A: 1\r\nContent-Length: 2\r\n\r\n{}", "folded", false},
	{"a line of a blank", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n \r\n\r\n{}", "folded", false},
	{"NUL in a value", "HTTP/1.1 200 OK\r\nX-A: 1\x002\r\nContent-Length: 2\r\n\r\n{}", "control character in a header value", false},
	{"CR in a value", "HTTP/1.1 200 OK\r\nX-A: 1\rSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\n{}", "control character in a header value", false},
	{"escape in a value", "HTTP/1.1 200 OK\r\nX-A: \x1b[2J\r\nContent-Length: 2\r\n\r\n{}", "control character in a header value", false},
	{"DEL in a value", "HTTP/1.1 200 OK\r\nX-A: \x7f\r\nContent-Length: 2\r\n\r\n{}", "control character in a header value", false},
	{"two CR", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\r\n\r\n{}", "control character in a header value", false},
	{"80 KiB of headers", "HTTP/1.1 200 OK\r\n" + strings.Repeat("X-A: "+strings.Repeat("x", 1017)+"\r\n", 80) + "Content-Length: 2\r\n\r\n{}", "more bytes than kmproxy takes", false},
	{"a header of 80 KiB", "HTTP/1.1 200 OK\r\nX-A: " + strings.Repeat("x", 80<<10) + "\r\nContent-Length: 2\r\n\r\n{}", "more bytes than kmproxy takes", false},
	{"a status line of 80 KiB", "HTTP/1.1 200 " + strings.Repeat("x", 80<<10) + "\r\nContent-Length: 2\r\n\r\n{}", "more bytes than kmproxy takes", false},

	// the length
	{"length +2", answer("Content-Length: +2", "{}"), "no plain decimal number", false},
	{"length -2", answer("Content-Length: -2", "{}"), "no plain decimal number", false},
	{"length -0", answer("Content-Length: -0", "{}"), "no plain decimal number", false},
	{"length 0x2", answer("Content-Length: 0x2", "{}"), "no plain decimal number", false},
	{"length 2.0", answer("Content-Length: 2.0", "{}"), "no plain decimal number", false},
	{"length 1 2", answer("Content-Length: 1 2", "{}"), "no plain decimal number", false},
	{"length 1_0", answer("Content-Length: 1_0", "{}"), "no plain decimal number", false},
	{"length 2, 2", answer("Content-Length: 2, 2", "{}"), "no plain decimal number", false},
	{"an empty length", answer("Content-Length:", "{}"), "no plain decimal number", false},
	{"a length of words", answer("Content-Length: two", "{}"), "no plain decimal number", false},
	{"length past 64 bits", answer("Content-Length: 18446744073709551618", "{}"), "no plain decimal number", false},
	{"length past int64", answer("Content-Length: 9223372036854775808", "{}"), "no plain decimal number", false},
	{"two lengths", answer("Content-Length: 2\r\nContent-Length: 3", "{}"), "they differ", false},
	{"three lengths", answer("Content-Length: 2\r\ncontent-length: 2\r\nContent-Length: 02222", "{}"), "they differ", false},

	// Transfer-Encoding
	{"HTTP/1.0 in chunks", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", "of HTTP/1.0", false},
	{"HTTP/1.0 with both", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", "of HTTP/1.0", false},
	{"both", answer("Content-Length: 12\r\nTransfer-Encoding: chunked", "2\r\n{}\r\n0\r\n\r\n"), "both Transfer-Encoding and Content-Length", false},
	{"both, otherwise", answer("Transfer-Encoding: chunked\r\nContent-Length: 2", "2\r\n{}\r\n0\r\n\r\n"), "both Transfer-Encoding and Content-Length", false},
	{"coding gzip", answer("Transfer-Encoding: gzip", "{}"), "other than chunked", false},
	{"coding gzip, chunked", answer("Transfer-Encoding: gzip, chunked", "2\r\n{}\r\n0\r\n\r\n"), "other than chunked", false},
	{"coding chunked, gzip", answer("Transfer-Encoding: chunked, gzip", "2\r\n{}\r\n0\r\n\r\n"), "other than chunked", false},
	{"coding chunked, chunked", answer("Transfer-Encoding: chunked, chunked", "2\r\n{}\r\n0\r\n\r\n"), "other than chunked", false},
	{"coding chunked twice", answer("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "2\r\n{}\r\n0\r\n\r\n"), "other than chunked", false},
	{"coding identity", answer("Transfer-Encoding: identity\r\nContent-Length: 2", "{}"), "other than chunked", false},
	{"coding xchunked", answer("Transfer-Encoding: xchunked", "2\r\n{}\r\n0\r\n\r\n"), "other than chunked", false},
	{"coding chunked;q=1", answer("Transfer-Encoding: chunked;q=1", "2\r\n{}\r\n0\r\n\r\n"), "other than chunked", false},
	{"an empty coding", answer("Transfer-Encoding:", "{}"), "other than chunked", false},
	{"a coding in quotes", answer("Transfer-Encoding: \"chunked\"", "2\r\n{}\r\n0\r\n\r\n"), "other than chunked", false},

	// chunks
	{"no size", inChunks("\r\n{}\r\n0\r\n\r\n"), "without a proper size", false},
	{"size zz", inChunks("zz\r\n{}\r\n0\r\n\r\n"), "without a proper size", false},
	{"size -2", inChunks("-2\r\n{}\r\n0\r\n\r\n"), "without a proper size", false},
	{"size +2", inChunks("+2\r\n{}\r\n0\r\n\r\n"), "without a proper size", false},
	{"size 0x2", inChunks("0x2\r\n{}\r\n0\r\n\r\n"), "without a proper size", false},
	{"a blank before the size", inChunks(" 2\r\n{}\r\n0\r\n\r\n"), "without a proper size", false},
	{"a blank behind the size", inChunks("2 \r\n{}\r\n0\r\n\r\n"), "without a proper size", false},
	{"size past 64 bits", inChunks("10000000000000002\r\n{}\r\n0\r\n\r\n"), "without a proper size", false},
	{"bare LF behind the size", inChunks("2\n{}\r\n0\r\n\r\n"), "without a proper size", false},
	{"a chunk too long", inChunks("1\r\n{}\r\n0\r\n\r\n"), "longer or shorter than its size", false},
	{"a chunk too short", inChunks("3\r\n{}\r\n0\r\n\r\n"), "longer or shorter than its size", false},
	{"bare LF behind a chunk", inChunks("2\r\n{}\n0\r\n\r\n"), "longer or shorter than its size", false},
	{"CR without LF behind a chunk", inChunks("2\r\n{}\rx0\r\n\r\n"), "longer or shorter than its size", false},
	{"NUL in an extension", inChunks("2;a\x00\r\n{}\r\n0\r\n\r\n"), "chunk extensions", false},
	{"a long extension", inChunks("2;" + strings.Repeat("a", 2<<10) + "\r\n{}\r\n0\r\n\r\n"), "chunk extensions", false},
	{"many extensions", inChunks(strings.Repeat("1;"+strings.Repeat("a", 1000)+"\r\n \r\n", 20) + "0\r\n\r\n"), "chunk extensions", false},
	{"a folded trailer", inChunks("2\r\n{}\r\n0\r\nX-A: 1\r\n 2\r\n\r\n"), "folded", false},
	{"a trailer of none", inChunks("2\r\n{}\r\n0\r\nbroken\r\n\r\n"), "without a colon", false},
	{"trailers of 16 KiB", inChunks("2\r\n{}\r\n0\r\n" + strings.Repeat("X-A: "+strings.Repeat("x", 1000)+"\r\n", 16) + "\r\n"), "more trailers", false},

	// what breaks off
	{"nothing", "", "instead of answering", true},
	{"half a status line", "HTTP/1.1 20", "ended early", true},
	{"half a header", "HTTP/1.1 200 OK\r\nContent-Le", "ended early", true},
	{"no empty line", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", "ended early", true},
	{"no body", answer("Content-Length: 2", ""), "ended early", true},
	{"half a body", answer("Content-Length: 4", "{}"), "ended early", true},
	{"half a chunk", inChunks("4\r\n{}"), "ended early", true},
	{"no last chunk", inChunks("2\r\n{}\r\n"), "ended early", true},
	{"half a last chunk", inChunks("2\r\n{}\r\n0\r\n"), "ended early", true},
	{"half a trailer", inChunks("2\r\n{}\r\n0\r\nX-A: "), "ended early", true},
	{"half a size", inChunks("2\r\n{}\r\n0"), "ended early", true},

	// codings of the content
	{"gzip", answer("Content-Encoding: gzip\r\nContent-Length: 2", "{}"), "content coding", false},
	{"identity and gzip", answer("Content-Encoding: identity, gzip\r\nContent-Length: 2", "{}"), "content coding", false},
	{"aws-chunked", answer("Content-Encoding: aws-chunked\r\nContent-Length: 2", "{}"), "content coding", false},
}

func answer(header, body string) string { return "HTTP/1.1 200 OK\r\n" + header + "\r\n\r\n" + body }

func inChunks(body string) string { return answer("Transfer-Encoding: chunked", body) }

// script is an upstream that answers each request with its current text.
type script struct {
	text atomic.Pointer[string]
	cut  atomic.Bool
}

func (s *script) next(text string, cut bool) { s.text.Store(&text); s.cut.Store(cut) }

func (s *script) answer(_ int, conn net.Conn) bool {
	text, cut := *s.text.Load(), s.cut.Load() // before the test can set the next
	_, _ = io.WriteString(conn, text)         // the proxy may have heard enough
	return !cut
}

// TestMalformedAnswers: each is a 502 and its reason is in the log; nothing of
// it passes for an answer, and the next call gets its own over a new connection.
func TestMalformedAnswers(t *testing.T) {
	if len(malformed) < 100 {
		t.Fatalf("%d answers", len(malformed))
	}
	var s script
	u := startRaw(t, s.answer)
	w := newWorld(t, u.use)
	for i, row := range malformed {
		conns, _, _ := u.seen()
		s.next(row.answer, row.cut)
		logged := len(w.Log.String())
		q := []func(*world) *request{plainRequest, sealedRequest}[i%2](w)
		if got := w.overHTTP1(t, q.bytes()); got.status != http.StatusBadGateway || got.body != upstreamFailed.body() {
			t.Errorf("%s: %d %.200s", row.name, got.status, got.body)
		}
		if line := w.Log.String()[logged:]; !strings.Contains(line, row.reason) {
			t.Errorf("%s: want %q in %s", row.name, row.reason, line)
		}
		own := fmt.Sprintf(`{"next":%d}`, i)
		s.next(answer(fmt.Sprintf("Connection: close\r\nContent-Length: %d", len(own)), own), true)
		if got := w.overHTTP1(t, plainRequest(w).bytes()); got.status != http.StatusOK || got.body != own {
			t.Errorf("behind %s: %d %s", row.name, got.status, got.body)
		}
		if after, _, _ := u.seen(); after != conns+2 {
			t.Errorf("%s: its connection was used again", row.name)
		}
	}
}

// odd are answers that are unusual and not wrong, and what passes of them.
var odd = []struct {
	name, answer, body string
	status             int
	kept               bool // the connection serves again
	cut                bool
}{
	{"no reason", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n{}", "{}", 200, true, false},
	{"no blank behind the status", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", "{}", 200, true, false},
	{"letters of none in the reason", "HTTP/1.1 200 \xc3\xa9\t\r\nContent-Length: 2\r\n\r\n{}", "{}", 200, true, false},
	{"blanks around a value", answer("Content-Length: \t 2 \t", "{}"), "{}", 200, true, false},
	{"no blank before a value", answer("Content-Length:2", "{}"), "{}", 200, true, false},
	{"zeros before the length", answer("Content-Length: 0002", "{}"), "{}", 200, true, false},
	{"equal lengths", answer("Content-Length: 2\r\nContent-Length: 2", "{}"), "{}", 200, true, false},
	{"header names of another case", "HTTP/1.1 200 OK\r\ncontent-LENGTH: 2\r\n\r\n{}", "{}", 200, true, false},
	{"coding CHUNKED", answer("Transfer-Encoding: CHUNKED", "2\r\n{}\r\n0\r\n\r\n"), "{}", 200, true, false},
	{"many chunks", inChunks("1\r\n{\r\n0001\r\n}\r\n0\r\n\r\n"), "{}", 200, true, false},
	{"sizes in capitals", inChunks("A\r\n[12345678]\r\na\r\n          \r\n00\r\n\r\n"), "[12345678]          ", 200, true, false},
	{"extensions", inChunks("2;a=b;c=\"d e\"\r\n{}\r\n0 ;x\r\n\r\n"), "{}", 200, true, false},
	{"trailers", inChunks("2\r\n{}\r\n0\r\nX-KM-Access-Key: x\r\nContent-Length: 5\r\n\r\n"), "{}", 200, true, false},
	{"interim answers", strings.Repeat("HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n", 4) + goodAnswer, "{}", 200, true, false},
	{"identity", answer("Content-Encoding: identity\r\nContent-Length: 2", "{}"), "{}", 200, true, false},
	{"Identity twice", answer("Content-Encoding: Identity, identity\r\nContent-Length: 2", "{}"), "{}", 200, true, false},
	{"an empty coding", answer("Content-Encoding:\r\nContent-Length: 2", "{}"), "{}", 200, true, false},
	{"60 KiB of headers", answer(strings.Repeat("X-A: "+strings.Repeat("x", 1017)+"\r\n", 60)+"Content-Length: 2", "{}"), "{}", 200, true, false},
	{"more behind it", answer("Content-Length: 2", "{}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"), "{}", 200, false, false},
	{"a blank line behind it", answer("Content-Length: 2", "{}\r\n"), "{}", 200, false, false},
	{"more behind the chunks", inChunks("2\r\n{}\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"), "{}", 200, false, false},
	{"a farewell", answer("Connection: x, Close\r\nContent-Length: 2", "{}"), "{}", 200, false, false},
	{"HTTP/1.0", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}", "{}", 200, false, false},
	{"until it closes", answer("X-A: b", "{}"), "{}", 200, false, true},
	{"204", "HTTP/1.1 204 No Content\r\n\r\n", "", 204, true, false},
	{"204 of length 0", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "", 204, true, false},
	{"204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n", "", 204, false, false},
	{"204 with a body", "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil", "", 204, false, false},
	{"204 in chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", 204, false, false},
	{"205", "HTTP/1.1 205 Reset Content\r\n\r\n", "", 205, false, false},
	{"205 of length 0", "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", "", 205, true, false},
	{"205 with a body", "HTTP/1.1 205 Reset Content\r\nContent-Length: 4\r\n\r\nevil", "", 205, false, false},
	{"205 in chunks", "HTTP/1.1 205 Reset Content\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n", "", 205, false, false},
	{"304", "HTTP/1.1 304 Not Modified\r\n\r\n", "", 304, true, false},
	{"304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n", "", 304, false, false},
	{"304 with a body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil", "", 304, false, false},
}

// TestOddAnswers: each passes as it is, and the next call gets its own answer, over
// the same connection only where nothing can be left of the one before.
func TestOddAnswers(t *testing.T) {
	var s script
	u := startRaw(t, s.answer)
	w := newWorld(t, u.use)
	for i, row := range odd {
		for _, base := range []func(*world) *request{plainRequest, sealedRequest} {
			conns, _, _ := u.seen()
			s.next(row.answer, row.cut)
			got := w.overHTTP1(t, base(w).bytes())
			sealed := strings.HasPrefix(got.body, `{"encData":`)
			if got.status != row.status || !sealed && got.body != row.body || len(got.header["Content-Encoding"]) > 0 {
				t.Errorf("%s: %d %.200q %q", row.name, got.status, got.body, got.header)
			}
			own := fmt.Sprintf(`{"next":%d}`, i)
			s.next(answer(fmt.Sprintf("Connection: close\r\nContent-Length: %d", len(own)), own), true)
			if got := w.overHTTP1(t, plainRequest(w).bytes()); got.status != http.StatusOK || got.body != own {
				t.Errorf("behind %s: %d %s", row.name, got.status, got.body)
			}
			if after, _, _ := u.seen(); (after == conns+1) != row.kept {
				t.Errorf("%s: %d connections for two calls", row.name, after-conns)
			}
		}
	}
}
