package proxy_test

import "strings"

// ours are the protocol's headers, a value of the right length and the wrong
// form, and whether one may be left out.
var ours = []struct {
	name, misshapen string
	optional        bool
}{
	{"X-KM-User-AspId", "00000000000000-", false},
	{"X-KM-Correlation-Id", "261123040506_0123abc", false},
	{"X-KM-Access-Key", strings.Repeat("a b ", 9) + "abcd", false},
	{"X-KM-Crypto-Key-Id", strings.Repeat("g", 32), true},
	{"X-KM-Time-Zone", "XYZ", false},
	{"X-KM-Tran-Token", "KMV2:" + strings.Repeat("0", 62), false},
	{"X-KM-Tran-Time", "20261323040506", false},
}

// headerRows are about headers that are missing, doubled or not of their form.
func headerRows() []row {
	rows := []row{
		{name: "good", base: sealedRequest, want: passes},
		{name: "good, names in lower case", base: sealedRequest, flaws: []flaw{rename("X-KM-Access-Key", "x-km-access-key")}, want: passes},
		{name: "good, an unknown X-KM header", base: sealedRequest, flaws: []flaw{add("X-KM-Admin", "true")}, want: passes},
		{name: "good, folded before the value", base: sealedRequest, flaws: []flaw{line("X-KM-Time-Zone: ", "X-KM-Time-Zone:\r\n ")}, want: passes},
		{name: "good, blanks around a value", base: sealedRequest, flaws: []flaw{line("X-KM-Time-Zone: UTC", "X-KM-Time-Zone:\t UTC \t")}, want: passes},
		{name: "good, Connection names others", base: sealedRequest, flaws: []flaw{add("Connection", "keep-alive, X-Other")}, want: passes},
	}
	for _, h := range ours {
		name := h.name
		empty, gone := missing(name), missing(name)
		if h.optional {
			empty = wrongLength(name) // without one, an encrypted body still lacks its key
		}
		for what, c := range map[string]struct {
			flaws []flaw
			want  want
		}{
			"missing":            {[]flaw{drop(name)}, gone},
			"empty":              {[]flaw{set(name, "")}, empty},
			"twice":              {[]flaw{twice(name)}, invalid(name)},
			"twice, otherwise":   {[]flaw{twice(name), rename(name, strings.ToLower(name)), set(name, "x")}, invalid(name)},
			"short":              {[]flaw{edit(name, func(s string) string { return s[:2] })}, wrongLength(name)},
			"long":               {[]flaw{edit(name, func(s string) string { return s + "00" })}, wrongLength(name)},
			"huge":               {[]flaw{edit(name, func(s string) string { return strings.Repeat(s, 8000/len(s)) })}, wrongLength(name)},
			"joined":             {[]flaw{edit(name, func(s string) string { return s + "," + s })}, wrongLength(name)},
			"misshapen":          {[]flaw{set(name, h.misshapen)}, invalid(name)},
			"with underscores":   {[]flaw{rename(name, strings.ReplaceAll(name, "-", "_"))}, invalid(name)},
			"also with one":      {[]flaw{add(strings.Replace(name, "-", "_", 1), "x")}, invalid(name)},
			"also with dots":     {[]flaw{add(strings.ReplaceAll(name, "-", "."), "x")}, invalid(name)},
			"removed on the way": {[]flaw{add("Connection", "close, "+strings.ToLower(name))}, invalid("Connection")},
		} {
			rows = append(rows, row{name: name + " " + what, base: sealedRequest, flaws: c.flaws, want: c.want})
		}
	}
	return append(rows, mediaRows()...)
}

func mediaRows() []row {
	rows := []row{
		{name: "no Content-Type", base: plainRequest, flaws: []flaw{drop("Content-Type")}, want: mediaType},
		{name: "Content-Type twice", base: plainRequest, flaws: []flaw{twice("Content-Type")}, want: mediaType},
		{name: "a coded body", base: plainRequest, flaws: []flaw{add("Content-Encoding", "gzip")}, want: mediaType},
		{name: "a body coded twice", base: plainRequest, flaws: []flaw{add("Content-Encoding", "identity, gzip")}, want: mediaType},
		{name: "a second coding", base: plainRequest, flaws: []flaw{add("Content-Encoding", "identity"), add("Content-Encoding", "br")}, want: mediaType},
		{name: "good, coded as itself", base: plainRequest, flaws: []flaw{add("Content-Encoding", "identity")}, want: passes},
		{name: "X_KM of no known name", base: plainRequest, flaws: []flaw{add("X_KM_ANYTHING", "x")}, want: invalid("X-KM")},
		{name: "Connection names an unknown one of ours", base: plainRequest, flaws: []flaw{add("Connection", "x_km_anything")}, want: invalid("Connection")},
	}
	for _, good := range []string{"application/json; charset=utf-8", "Application/JSON;charset=UTF-8", "application/json ; charset=\"utf-8\""} {
		rows = append(rows, row{name: "good, " + good, base: plainRequest, flaws: []flaw{set("Content-Type", good)}, want: passes})
	}
	for _, bad := range []string{"", "text/plain", "application/jose", "application/jose+json", "application/json-patch+json", "application/json5",
		"json", "*/*", "application/*", "application/json, text/plain", "application/json; boundary=x", "application/json; charset=utf-8; charset=utf-16",
		"application/json; charset", "application/json/x", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"} {
		rows = append(rows, row{name: "Content-Type " + bad, base: plainRequest, flaws: []flaw{set("Content-Type", bad)}, want: mediaType})
	}
	return rows
}
