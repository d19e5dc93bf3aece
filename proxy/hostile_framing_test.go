package proxy_test

import (
	"fmt"
	"strings"

	"kmproxy/proxy/proxytest"
)

var chunked = []field{{"Transfer-Encoding", "chunked"}}

func asChunks(body string) string { return chunks(body, 7) }

func whole(body string) string { return body }

// framingRows are about where a request ends and the next begins: a client
// that can make two servers differ over that sends requests in another's name.
func framingRows() []row {
	return []row{
		{name: "good", base: plainRequest, want: passes},
		{name: "good, encrypted", base: sealedRequest, want: passes},
		{name: "good, in chunks", base: plainRequest, flaws: []flaw{framed(chunked, asChunks)}, want: passes},
		{name: "good, in chunks of a byte", base: sealedRequest, flaws: []flaw{framed(chunked, func(b string) string { return chunks(b, 1) })}, want: passes},
		{name: "good, with chunk extensions and a trailer", base: plainRequest, flaws: []flaw{framed(chunked, func(b string) string {
			return fmt.Sprintf("%x;ext=1\r\n%s\r\n0\r\nX-KM-Access-Key: trailer\r\n\r\n", len(b), b)
		})}, want: passes},
		{name: "good, HTTP/1.0", base: plainRequest, flaws: []flaw{proto("HTTP/1.0")}, want: passes},
		{name: "good, the URL in whole", base: plainRequest, flaws: []flaw{target("https://elsewhere.example" + proxytest.ARSPath)}, want: passes},
		{name: "good, Upgrade is not followed", base: plainRequest, flaws: []flaw{add("Connection", "Upgrade"), add("Upgrade", "websocket")}, want: passes},
		{name: "good, h2c is not followed", base: plainRequest, flaws: []flaw{add("Connection", "Upgrade, HTTP2-Settings"),
			add("Upgrade", "h2c"), add("HTTP2-Settings", "AAMAAABkAAQAoAAAAAIAAAAA")}, want: passes},
		{name: "good, the same length twice", base: plainRequest, flaws: []flaw{line("Content-Length", fmt.Sprintf("Content-Length: %d\r\nContent-Length", len(plaintext)))}, want: passes},
		{name: "good, bytes behind it", base: plainRequest, flaws: []flaw{add("Connection", "close"),
			raw(func(good string) string { return good + "GARBAGE" })}, want: passes},

		{name: "length and chunks, shorter in chunks", base: plainRequest, flaws: []flaw{smuggled}, want: unauthorized},
		{name: "length and chunks, in the other order", base: plainRequest, flaws: []flaw{smuggled, line("Transfer-Encoding: chunked\r\n", ""),
			line("Content-Length", "Transfer-Encoding: chunked\r\nContent-Length")}, want: unauthorized},
		{name: "two lengths", base: plainRequest, flaws: []flaw{line("Content-Length", "Content-Length: 3\r\nContent-Length")}, want: byServer(400)},
		{name: "two lengths in one", base: plainRequest, flaws: []flaw{line("Content-Length: ", "Content-Length: 3, ")}, want: byServer(400)},
		{name: "length with a plus", base: plainRequest, flaws: []flaw{line("Content-Length: ", "Content-Length: +")}, want: byServer(400)},
		{name: "negative length", base: plainRequest, flaws: []flaw{line("Content-Length: ", "Content-Length: -")}, want: byServer(400)},
		{name: "hexadecimal length", base: plainRequest, flaws: []flaw{line("Content-Length: ", "Content-Length: 0x")}, want: byServer(400)},
		{name: "length past int64", base: plainRequest, flaws: []flaw{line("Content-Length: ", "Content-Length: 99999999999999999999")}, want: byServer(400)},
		{name: "length of a word", base: plainRequest, flaws: []flaw{line("Content-Length: ", "Content-Length: many")}, want: byServer(400)},
		{name: "length past the limit", base: plainRequest, flaws: []flaw{line("Content-Length: ", "Content-Length: 99999999")}, want: tooLarge},
		{name: "length one past the limit", base: plainRequest, flaws: []flaw{body(strings.Repeat("a", maxBody+1))}, want: tooLarge},
		{name: "largest length", base: plainRequest, flaws: []flaw{framed([]field{{"Content-Length", "9223372036854775807"}}, whole)}, want: tooLarge},
		{name: "chunks past the limit", base: plainRequest, flaws: []flaw{framed(chunked, func(string) string {
			return chunks(strings.Repeat("a", maxBody+1), 16<<10)
		})}, want: tooLarge},
		{name: "chunks without an end past the limit", base: plainRequest, flaws: []flaw{framed(chunked, func(string) string {
			return strings.TrimSuffix(chunks(strings.Repeat("a", 8*maxBody), 8<<10), "0\r\n\r\n")
		})}, want: tooLarge},

		{name: "chunks and gzip", base: plainRequest, flaws: []flaw{framed([]field{{"Transfer-Encoding", "gzip, chunked"}}, asChunks)}, want: byServer(501)},
		{name: "gzip", base: plainRequest, flaws: []flaw{framed([]field{{"Transfer-Encoding", "gzip"}}, asChunks)}, want: byServer(501)},
		{name: "identity", base: plainRequest, flaws: []flaw{framed([]field{{"Transfer-Encoding", "identity"}}, whole)}, want: byServer(501)},
		{name: "chunks twice", base: plainRequest, flaws: []flaw{framed(append(chunked[:1:1], chunked...), asChunks)}, want: byServer(501)},
		{name: "chunks and chunks", base: plainRequest, flaws: []flaw{framed([]field{{"Transfer-Encoding", "chunked, chunked"}}, asChunks)}, want: byServer(501)},
		{name: "chunks misspelled", base: plainRequest, flaws: []flaw{framed([]field{{"Transfer-Encoding", "xchunked"}}, asChunks)}, want: byServer(501)},
		{name: "chunks behind a control character", base: plainRequest, flaws: []flaw{framed([]field{{"Transfer-Encoding", "\vchunked"}}, asChunks)}, want: byServer(400)},
		{name: "chunks, blank before the colon", base: plainRequest, flaws: []flaw{framed([]field{{"Transfer-Encoding ", "chunked"}}, asChunks)}, want: byServer(400)},
		{name: "chunk size of no digits", base: plainRequest, flaws: []flaw{framed(chunked, func(b string) string { return "ZZ\r\n" + b })}, want: invalid("body")},
		{name: "chunk size past uint64", base: plainRequest, flaws: []flaw{framed(chunked, func(b string) string { return strings.Repeat("F", 17) + "\r\n" + b })}, want: invalid("body")},
		{name: "chunk size negative", base: plainRequest, flaws: []flaw{framed(chunked, func(b string) string { return "-1\r\n" + b })}, want: invalid("body")},
		{name: "chunk longer than its size", base: plainRequest, flaws: []flaw{framed(chunked, func(b string) string { return "1\r\n" + b + "\r\n0\r\n\r\n" })}, want: invalid("body")},
		{name: "chunk extension without an end", base: plainRequest, flaws: []flaw{framed(chunked, func(string) string {
			return "1;" + strings.Repeat("a", 64<<10)
		})}, want: invalid("body")},

		{name: "no host", http1: true, base: plainRequest, flaws: []flaw{drop("Host")}, want: byServer(400)},
		{name: "two hosts", http1: true, base: plainRequest, flaws: []flaw{add("Host", "elsewhere.example")}, want: byServer(400)},
		{name: "malformed host", http1: true, base: plainRequest, flaws: []flaw{set("Host", "a b")}, want: byServer(400)},
		{name: "blank before a colon", base: plainRequest, flaws: []flaw{line("X-KM-User-AspId:", "X-KM-User-AspId :")}, want: byServer(400)},
		{name: "blank in a name", base: plainRequest, flaws: []flaw{line("X-KM-User-AspId:", "X-KM User-AspId:")}, want: byServer(400)},
		{name: "zero byte in a name", base: plainRequest, flaws: []flaw{line("X-KM-User-AspId:", "X-KM\x00User-AspId:")}, want: byServer(400)},
		{name: "zero byte in a value", base: plainRequest, flaws: []flaw{line("X-KM-User-AspId: ", "X-KM-User-AspId: \x00")}, want: byServer(400)},
		{name: "carriage return in a value", base: plainRequest, flaws: []flaw{line("X-KM-User-AspId: 0", "X-KM-User-AspId: \r0")}, want: byServer(400)},
		{name: "line without a colon", base: plainRequest, flaws: []flaw{line("Accept:", "Accept\r\nAccept:")}, want: byServer(400)},
		{name: "first header is folded", base: plainRequest, flaws: []flaw{line("Host:", " folded\r\nHost:")}, want: byServer(400)},
		{name: "a value folded in the middle", base: plainRequest, flaws: []flaw{line("X-KM-User-AspId: 0000000", "X-KM-User-AspId: 0000000\r\n ")}, want: wrongLength("X-KM-User-AspId")},
		{name: "a second value folded to the first", base: plainRequest, flaws: []flaw{line("X-KM-Time-Zone: UTC", "X-KM-Time-Zone: UTC\r\n\tUTC")}, want: wrongLength("X-KM-Time-Zone")},
		{name: "header past the limit", http1: true, base: plainRequest, flaws: []flaw{add("X-Filler", strings.Repeat("a", 64<<10))}, want: byServer(431)},
		{name: "ten thousand headers", http1: true, base: plainRequest, flaws: []flaw{line("Accept:", strings.Repeat("A: b\r\n", 10000)+"Accept:")}, want: byServer(431)},
		{name: "target past the limit", http1: true, base: plainRequest, flaws: []flaw{target("/" + strings.Repeat("a", 64<<10))}, want: byServer(431)},

		{name: "version in lower case", base: plainRequest, flaws: []flaw{proto("http/1.1")}, want: byServer(400)},
		{name: "version of three digits", base: plainRequest, flaws: []flaw{proto("HTTP/1.10")}, want: byServer(400)},
		{name: "version 3", base: plainRequest, flaws: []flaw{proto("HTTP/3.0")}, want: byServer(505)},
		{name: "no version", base: plainRequest, flaws: []flaw{line(" HTTP/1.1", "")}, want: byServer(400)},
		{name: "HTTP/2's preface", base: plainRequest, flaws: []flaw{raw(func(string) string { return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" }), noFields}, want: noRoute},
		{name: "no HTTP at all", base: plainRequest, flaws: []flaw{raw(func(string) string { return "\x16\x03\x01\x00\x05hello\r\n\r\n" })}, want: byServer(400)},
		{name: "expectation of something else", base: plainRequest, flaws: []flaw{add("Expect", "200-ok")}, want: byServer(417)},
	}
}

// smuggled hides a whole second request behind a body that ends early in chunks
// and late by its length.
func smuggled(_ *world, r *request) {
	second := string(r.bytes())
	r.fields = append(r.fields, field{"Transfer-Encoding", "chunked"}, field{"Content-Length", fmt.Sprint(len("0\r\n\r\n") + len(second))})
	r.behind = []byte("0\r\n\r\n" + second)
}

// noFields says that a raw request has no headers, to those who look for what is echoed.
func noFields(_ *world, r *request) { r.fields = nil }
