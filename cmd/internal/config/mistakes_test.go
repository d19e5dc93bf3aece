package config_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kmproxy/cmd/internal/config"
)

// mistakes are files and what is told about each: "line: key: text", and behind
// " -> " the hint.
var mistakes = []struct{ name, doc, want string }{
	// what is not TOML
	{"no quotes", "[listen]\naddress = :8443", "2:11: unexpected character U+003A ':' at start of value"},
	{"a key twice", "[listen]\naddress = ':1'\naddress = ':2'", "3:1: key address is already defined"},
	{"a table twice", "[tls]\n[listen]\n[tls]", "3:2: table tls already exists"},
	{"no value", "[listen]\naddress =", "2:9: expected value, not end of input"},

	// what is not known
	{"key", "[listen]\n\nadress = ':1'", `3: listen.adress: unknown key -> did you mean address?`},
	{"key in capitals", "[listen]\nADRESS = ':1'", `2: listen.ADRESS: unknown key -> did you mean address?`},
	{"key that breaks off", "[listen]\naddr = ':1'", `2: listen.addr: unknown key -> did you mean address?`},
	{"key like others, but not much", "[listen]\nreload = true", `2: listen.reload: unknown key`},
	{"key of another table", "[listen]\nmax_body = '1MiB'", `2: listen.max_body: unknown key -> it belongs to [admission]`},
	{"key of several tables", "url = 'x'", `1: url: unknown key -> it belongs to [upstream] or [store]`},
	{"key of a route", "[upstream]\npad = 1", `2: upstream.pad: unknown key -> it belongs to [[route]]`},
	{"key like no other", "[keys]\nfoo = 1", `2: keys.foo: unknown key`},
	{"table", "# first\n[lisen]\naddress = ':1'", `2: lisen: unknown key -> did you mean listen?`},
	{"table in a table", "[tls.acne]\nemail = ''", `1: tls.acne: unknown key -> did you mean acme?`},
	{"key in a route", "[[route]]\nmethod = 'POST'\npath = '/a'\nrequests = 'plain'",
		`4: route[0].requests: unknown key -> did you mean request?`},
	{"table in a route", "[[route]]\nmethod = 'POST'\npath = '/a'\n[[route]]\nmethod = 'POST'\npath = '/b'\n[route.tls]\nmode = 'local'",
		"7: route[1].tls: unknown key"},
	{"key with a dot", `"listen.address" = ':1'`, `1: "listen.address": unknown key`},

	// what is of another type
	{"text", "[listen]\naddress = 8443", "2: listen.address: wants a string, not an integer"},
	{"mode", "[tls]\nmode = true", `2: tls.mode: wants one of "local", "files", "acme", not true or false`},
	{"integer", "[keys]\nmax_per_project = '2'", "2: keys.max_per_project: wants an integer, not a string"},
	{"decimal number", "[tls.acme]\nhttp_port = 80.0", "2: tls.acme.http_port: wants an integer, not a decimal number"},
	{"duration", "[upstream]\ntimeout = 10", `2: upstream.timeout: wants a duration such as "5s", not an integer`},
	{"size", "[admission]\nmax_body = 1048576", `2: admission.max_body: wants a size such as "1MiB", not an integer`},
	{"list", "[tls]\nhostnames = 'localhost'", "2: tls.hostnames: wants a list of strings, not a string"},
	{"network", "[listen]\ntrusted_proxies = ['10.0.0.0/8', '10.0.0.0/33', '::ffff:10.0.0.1']",
		`2: listen.trusted_proxies[1]: "10.0.0.0/33" is neither an IP address nor a network such as 10.0.0.0/8` + "\n" +
			`2: listen.trusted_proxies[2]: "::ffff:10.0.0.1" is neither an IP address nor a network such as 10.0.0.0/8`},
	{"PROXY headers of none", "[listen]\nproxy_protocol = true",
		"2: listen.proxy_protocol: is true, but trusted_proxies names no proxy to take the header from -> write the addresses of the load balancers into trusted_proxies"},
	{"list element", "[tls]\nhostnames = [\n'a',\n7]", "4: tls.hostnames[1]: wants a string, not an integer"},
	{"URL", "[upstream]\nurl = []", "2: upstream.url: wants a URL, not a list"},
	{"store", "[store]\nurl = 1979-05-27", "2: store.url: wants a string, not a time"},
	{"source", "[master_key]\nsource = {}", "2: master_key.source: wants a string, not a table"},
	{"file", "[tls]\nclient_ca_file = false", "2: tls.client_ca_file: wants a string, not true or false"},
	{"zones", "[admission]\ntime_zones = 'UTC'", `2: admission.time_zones: wants a table such as { UTC = "+00:00" }, not a string`},
	{"zone", "[admission.time_zones]\nUTC = 0", `2: admission.time_zones.UTC: wants an offset such as "+09:00", not an integer`},
	{"yes or no", "[[route]]\nmethod = 'POST'\npath = '/a'\nencrypt_errors = 1",
		"4: route[0].encrypt_errors: wants true or false, not an integer"},
	{"table is none", "listen = ':8443'", "1: listen: wants a table, not a string -> write [listen]"},
	{"table is several", "[[listen]]\naddress = ':1'", "1: listen: wants a table, not a list -> write [listen]"},
	{"one route", "[route]\nmethod = 'POST'\npath = '/a'",
		"1: route: wants a list of tables, not a table -> write [[route]] above each route"},
	{"routes are none", "route = ['/a']", "1: route[0]: wants a table, not a string -> write [[route]] above each route"},

	// what is none of the values
	{"tls.mode", "[tls]\nmode = 'file'", `2: tls.mode: unknown value "file" -> it is one of "local", "files", "acme"`},
	{"request", "[[route]]\nmethod = 'POST'\npath = '/a'\nrequest = 'match'",
		`4: route[0].request: unknown value "match" -> it is one of "encrypted", "plain", "either"`},
	{"response", "[[route]]\nmethod = 'POST'\npath = '/a'\nresponse = 'either'",
		`4: route[0].response: unknown value "either" -> it is one of "encrypted", "plain", "match"`},
	{"method", "[[route]]\nmethod = 'post'\npath = '/a'",
		`2: route[0].method: unknown method "post": it is one of POST PUT PATCH`},
	{"GET", "[[route]]\nmethod = 'GET'\npath = '/a'",
		"2: route[0].method: GET requests have no body, and without one every request has the same token: it is one of POST PUT PATCH"},
	{"DELETE beside POST", "[[route]]\nmethod = 'POST'\npath = '/a'\n[[route]]\nmethod = 'DELETE'\npath = '/a'",
		"5: route[1].method: DELETE requests have no body, and without one every request has the same token: it is one of POST PUT PATCH"},
	{"HEAD", "route = [{ method = 'HEAD', path = '/a' }]",
		"1: route[0].method: HEAD requests have no body, and without one every request has the same token: it is one of POST PUT PATCH"},

	// durations, sizes and numbers
	{"no unit", "[upstream]\ntimeout = '10'",
		`2: upstream.timeout: "10" is no duration -> durations are written as "500ms", "5s", "10m" or "168h"`},
	{"days", "[keys]\nquiet = '7d'",
		`2: keys.quiet: "7d" is no duration -> durations are written as "500ms", "5s", "10m" or "168h"`},
	{"no timeout", "[upstream]\ntimeout = '0s'", "2: upstream.timeout: 0s is not between 1ms and 1h"},
	{"long timeout", "[upstream]\ntimeout = '61m'", "2: upstream.timeout: 61m is not between 1ms and 1h"},
	{"negative skew", "[admission]\nclock_skew = '-1s'", "2: admission.clock_skew: -1s is not between 0s and 24h"},
	{"much skew", "[admission]\nclock_skew = '25h'", "2: admission.clock_skew: 25h is not between 0s and 24h"},
	{"long window", "[admission]\nreplay_window = '2161h'", "2: admission.replay_window: 2161h is not between 0s and 2160h"},
	{"negative quiet", "[keys]\nquiet = '-1h'", "2: keys.quiet: -1h is not between 0s and 87600h"},
	{"decimal unit", "[admission]\nmax_body = '1MB'",
		`2: admission.max_body: "1MB" is no size -> sizes are written as "512B", "64KiB" or "1MiB"`},
	{"half a size", "[admission]\nmax_body = '1.5MiB'",
		`2: admission.max_body: "1.5MiB" is no size -> sizes are written as "512B", "64KiB" or "1MiB"`},
	{"size without a unit", "[admission]\nmax_body = '2048'",
		`2: admission.max_body: "2048" is no size -> sizes are written as "512B", "64KiB" or "1MiB"`},
	{"small body", "[admission]\nmax_body = '1023B'", "2: admission.max_body: 1023B is not between 1KiB and 64MiB"},
	{"large body", "[admission]\nmax_body = '65MiB'", "2: admission.max_body: 65MiB is not between 1KiB and 64MiB"},
	{"huge body", "[admission]\nmax_body = '4294967295GiB'",
		"2: admission.max_body: 4294967295GiB is not between 1KiB and 64MiB"},
	{"no keys", "[keys]\nmax_per_project = 0", "2: keys.max_per_project: 0 is not between 1 and 100"},
	{"no port", "[tls.acme]\nhttp_port = -1", "2: tls.acme.http_port: -1 is not between 0 and 65535"},
	{"negative pad", "[[route]]\nmethod = 'POST'\npath = '/a'\npad = -1",
		"4: route[0].pad: -1 is not between 0 and 65536"},
	{"large pad", "[[route]]\nmethod = 'POST'\npath = '/a'\npad = 65537",
		"4: route[0].pad: 65537 is not between 0 and 65536"},

	{"forwarded header twice", "[[route]]\nmethod = 'POST'\npath = '/a'\nforward_headers = ['A', 'A']",
		`4: route[0].forward_headers[1]: "A" is there twice`},
	{"forwarded header with an underscore", "[[route]]\nmethod = 'POST'\npath = '/a'\nforward_headers = ['X_Tenant']",
		"4: route[0].forward_headers[0]: a header name here holds letters, digits and hyphens only"},
	{"forwarded header without a name", "[[route]]\nmethod = 'POST'\npath = '/a'\nforward_headers = ['']", "4: route[0].forward_headers[0]: is no header name"},
	{"forwarded header of ours", "[[route]]\nmethod = 'POST'\npath = '/a'\nforward_headers = ['x-km-access-key']",
		"4: route[0].forward_headers[0]: is written by kmproxy itself, from what it verified"},
	{"forwarded framing", "[[route]]\nmethod = 'POST'\npath = '/a'\nforward_headers = ['te', 'content-length', 'X-HTTP-Method-Override']",
		"4: route[0].forward_headers[0]: speaks of one connection, and ends there\n" +
			"4: route[0].forward_headers[1]: speaks of the body as the caller sent it, which is not the one that the upstream gets\n" +
			"4: route[0].forward_headers[2]: asks for another method or path than the route that was checked"},

	// addresses and URLs
	{"address without a port", "[listen]\naddress = 'localhost'", `2: listen.address: "localhost" is no HOST:PORT`},
	{"named port", "[listen]\naddress = ':https'", `2: listen.address: "https" is no port: it is a number up to 65535`},
	{"large port", "[admin]\naddress = '127.0.0.1:65536'", `2: admin.address: "65536" is no port: it is a number up to 65535`},
	{"odd host", "[admin]\naddress = 'a b:1'", `2: admin.address: "a b" is neither a host name nor an IP address`},
	{"no URL", "[upstream]\nurl = 'http://a:b@c:d'", "2: upstream.url: is no URL"},
	{"scheme", "[upstream]\nurl = 'ftp://host'", "2: upstream.url: does not begin with http:// or https://"},
	{"no scheme", "[upstream]\nurl = 'host/path'", "2: upstream.url: does not begin with http:// or https://"},
	{"no host", "[upstream]\nurl = 'http:///path'", "2: upstream.url: has no host"},
	{"query", "[upstream]\nurl = 'http://host/?a=b'", "2: upstream.url: has a query or a fragment"},
	{"fragment", "[upstream]\nurl = 'http://host/#'", "2: upstream.url: has a query or a fragment"},
	{"empty port", "[upstream]\nurl = 'http://host:'", "2: upstream.url: has a bad port"},
	{"bad port", "[upstream]\nurl = 'http://host:99999'", "2: upstream.url: has a bad port"},
	{"bad host", "[upstream]\nurl = 'http://a..b'", `2: upstream.url: its host "a..b" is neither a host name nor an IP address`},
	{"bad path", "[upstream]\nurl = 'http://host/a/../b'", `2: upstream.url: its path: a path cannot hold ".."`},
	{"no socket", "[upstream]\nurl = 'unix:'", "2: upstream.url: names no socket"},
	{"home of a socket", "[upstream]\nurls = ['unix:~/a.sock']", "2: upstream.urls[0]: ~ is the shell's: write the whole path"},
	{"long socket", "[upstream]\nurl = 'unix:/" + strings.Repeat("a", 107) + "'", "2: upstream.url: has a path of 108 bytes: a socket's has at most 107"},
	{"socket beside a path", "[upstream]\nurls = ['unix:/a.sock', 'http://host/a']",
		"2: upstream.urls: differ in their paths: they are servers of one service -> give them the same path"},
	{"server name without https", "[upstream]\nurl = 'unix:/a.sock'\nserver_name = 'a.example'",
		"3: upstream.server_name: would not be used, because of upstream.url -> use an https URL, or take it out"},
	{"bad server name", "[upstream]\nurl = 'https://a'\nserver_name = 'a b'", `3: upstream.server_name: "a b" is neither a host name nor an IP address`},
	{"directory", "[tls.acme]\ndirectory = 'http://acme.example'", "2: tls.acme.directory: does not begin with https://"},
	{"e-mail", "[tls.acme]\nemail = 'ops'", `2: tls.acme.email: "ops" is no e-mail address`},
	{"hostname", "[tls]\nhostnames = ['*.example']", `2: tls.hostnames[0]: "*.example" is neither a host name nor an IP address`},
	{"hostname twice", "[tls]\nhostnames = ['a',\n'b',\n'a']", `4: tls.hostnames[2]: "a" is there twice`},

	// paths
	{"base path", "[listen]\nbase_path = 'open-api'", "2: listen.base_path: does not begin with a slash"},
	{"base path with a slash at its end", "[listen]\nbase_path = '/open-api/'", "2: listen.base_path: ends with a slash"},
	{"base path that is a slash", "[listen]\nbase_path = '/'", "2: listen.base_path: ends with a slash"},
	{"relative", "[[route]]\nmethod = 'POST'\npath = 'a'", "3: route[0].path: does not begin with a slash"},
	{"path with a query", "[[route]]\nmethod = 'POST'\npath = '/a?b'", "3: route[0].path: a path cannot hold '?'"},
	{"path with a fragment", "[[route]]\nmethod = 'POST'\npath = '/a#b'", "3: route[0].path: a path cannot hold '#'"},
	{"path with an escape", "[[route]]\nmethod = 'POST'\npath = '/a%2fb'", "3: route[0].path: a path cannot hold '%'"},
	{"path with a blank", "[[route]]\nmethod = 'POST'\npath = '/a b'", "3: route[0].path: a path cannot hold ' '"},
	{"path with dots", "[[route]]\nmethod = 'POST'\npath = '/a/../b'", `3: route[0].path: a path cannot hold ".."`},
	{"path with a dot", "[[route]]\nmethod = 'POST'\npath = '/a/./b'", `3: route[0].path: a path cannot hold "/./"`},
	{"path with a dot at its end", "[[route]]\nmethod = 'POST'\npath = '/a/.'", `3: route[0].path: a path cannot end with "/."`},
	{"path with two slashes", "[[route]]\nmethod = 'POST'\npath = '//a'", `3: route[0].path: a path cannot hold "//"`},
	{"file with a zero byte", "[tls]\nclient_ca_file = \"a\\u0000b\"", "2: tls.client_ca_file: a path cannot hold a zero byte"},
	{"file of the shell's", "[tls]\nclient_ca_file = '~/ca.pem'", "2: tls.client_ca_file: ~ is the shell's: write the whole path"},

	// routes
	{"no method", "\n[[route]]\npath = '/a'", "2: route[0].method: is missing"},
	{"nothing in a route", "\n[[route]]", "2: route[0].method: is missing\n2: route[0].path: is missing"},
	{"no path in the second", "[[route]]\nmethod = 'POST'\npath = '/a'\n\n[[route]]\nmethod = 'POST'",
		"5: route[1].path: is missing"},
	{"twice", "[[route]]\nmethod = 'POST'\npath = '/a'\n[[route]]\nmethod = 'PUT'\npath = '/a'\n[[route]]\npath = '/a'\nmethod = 'POST'",
		"8: route[2].path: POST /a has a route in line 1 already"},
	{"empty", "route = []", "1: route: has no route: no request could pass"},
	{"written inline", "route = [{ method = 'POST', path = '/a' },\n{ method = 'POST', path = 'b' }]",
		"2: route[1].path: does not begin with a slash"},

	// time zones
	{"zone of 4 letters", "[admission]\ntime_zones = { UTC = '+00:00',\nCEST = '+02:00' }",
		"3: admission.time_zones.CEST: the name of a time zone has exactly 3 letters"},
	{"zone with a digit", "[admission.time_zones]\nGM1 = '+01:00'",
		"2: admission.time_zones.GM1: the name of a time zone has exactly 3 letters"},
	{"offset without a sign", "[admission.time_zones]\nKST = '09:00'",
		`2: admission.time_zones.KST: "09:00" is no offset from UTC -> offsets are written as "+09:00", from -14:00 to +14:00`},
	{"offset Z", "[admission.time_zones]\nUTC = 'Z'",
		`2: admission.time_zones.UTC: "Z" is no offset from UTC -> offsets are written as "+09:00", from -14:00 to +14:00`},
	{"offset of a day", "[admission.time_zones]\nXXX = '+14:01'",
		`2: admission.time_zones.XXX: "+14:01" is no offset from UTC -> offsets are written as "+09:00", from -14:00 to +14:00`},
	{"no zone", "[admission]\ntime_zones = {}", "2: admission.time_zones: has no time zone: no request could pass"},

	// the store and its key
	{"etcd", "[store]\nurl = 'etcd://a:2379/p'", "2: store.url: etcd is not built into this version yet -> use file:DIR"},
	{"no scheme", "[store]\nurl = 'data'", "2: store.url: wants file:DIR"},
	{"no folder", "[store]\nurl = 'file:'", "2: store.url: wants file:DIR"},
	{"unknown source", "[master_key]\nsource = 'passphrase:open sesame'",
		"2: master_key.source: wants file:PATH, passphrase-file:PATH or passphrase-env:NAME"},
	{"no file", "[master_key]\nsource = 'passphrase-file:'",
		"2: master_key.source: wants file:PATH, passphrase-file:PATH or passphrase-env:NAME"},
	{"no variable", "[master_key]\nsource = 'passphrase-env:$NAME'",
		"2: master_key.source: wants file:PATH, passphrase-file:PATH or passphrase-env:NAME"},

	// what settings demand of each other
	{"acme without a host", "[tls]\nhostnames = []\nmode = 'acme'", `2: tls.hostnames: names no host to make a certificate for`},
	{"acme's port is the public one", "[listen]\naddress = ':8080'\n[tls]\nmode = 'acme'\n[tls.acme]\nhttp_port = 8080",
		"6: tls.acme.http_port: is where listen.address listens, too -> use another port, or 0 to do without HTTP-01"},
	{"acme's port is the admin's", "[tls]\nmode = 'acme'\n[tls.acme]\nhttp_port = 9443",
		"4: tls.acme.http_port: is where admin.address listens, too -> use another port, or 0 to do without HTTP-01"},
	{"local without a host", "[tls]\nhostnames = []", "2: tls.hostnames: names no host to make a certificate for"},
	{"files without files", "\n[tls]\nmode = 'files'",
		"2: tls.cert_file: is missing: tls.mode = \"files\" needs it\n2: tls.key_file: is missing: tls.mode = \"files\" needs it"},
	{"files with an empty one", "[tls]\nmode = 'files'\ncert_file = 'c'\nkey_file = ''",
		`4: tls.key_file: is missing: tls.mode = "files" needs it`},
	{"files unused", "[tls]\ncert_file = 'c'\nkey_file = 'k'",
		`2: tls.cert_file: would not be used, because of tls.mode -> set tls.mode = "files", or take it out` + "\n" +
			`3: tls.key_file: would not be used, because of tls.mode -> set tls.mode = "files", or take it out`},
	{"certificate without a key", "[upstream]\nurl = 'https://a'\nclient_cert_file = 'c'",
		"1: upstream.client_key_file: is missing: client_cert_file needs it"},
	{"key without a certificate", "[upstream]\nurl = 'https://a'\nclient_key_file = 'k'",
		"1: upstream.client_cert_file: is missing: client_key_file needs it"},
	{"roots for http", "[upstream]\nca_file = 'c'",
		"2: upstream.ca_file: would not be used, because of upstream.url -> use an https URL, or take it out"},
	{"short window", "[admission]\nclock_skew = '6m'\nreplay_window = '11m'",
		"3: admission.replay_window: is shorter than twice clock_skew: a request would be forgotten while its time still passes" +
			` -> write "12m" or more, or "0s" to switch it off`},
	{"window of a wrong skew", "[admission]\nclock_skew = '1'\nreplay_window = '1m'",
		`2: admission.clock_skew: "1" is no duration -> durations are written as "500ms", "5s", "10m" or "168h"`},
	{"short default window", "\n[admission]\nclock_skew = '6m'",
		"2: admission.replay_window: is shorter than twice clock_skew: a request would be forgotten while its time still passes" +
			` -> write "12m" or more, or "0s" to switch it off`},
	{"one listener", "[listen]\naddress = '127.0.0.1:1'\n[admin]\naddress = '127.0.0.1:1'",
		"4: admin.address: is where listen.address listens, too -> use another port: health and metrics are never on the public listener"},
	{"admin for every address", "[listen]\naddress = '127.0.0.1:1'\n[admin]\naddress = '[::]:1'",
		"4: admin.address: is where listen.address listens, too -> use another port: health and metrics are never on the public listener"},
	{"a listener for every address", "[listen]\naddress = '0.0.0.0:9443'",
		"2: admin.address: is where listen.address listens, too -> use another port: health and metrics are never on the public listener"},

	// many at once, in the order of their lines
	{"many", "[tls]\nmode = 'file'\nkey_file = 3\n[listen]\nadress = ':1'\nbase_path = 'x'\n[admission]\nclock_skew = 'x'\n[[route]]\nmethod = 'POST'",
		`2: tls.mode: unknown value "file" -> it is one of "local", "files", "acme"` + "\n" +
			"3: tls.key_file: wants a string, not an integer\n" +
			"5: listen.adress: unknown key -> did you mean address?\n" +
			"6: listen.base_path: does not begin with a slash\n" +
			`8: admission.clock_skew: "x" is no duration -> durations are written as "500ms", "5s", "10m" or "168h"` + "\n" +
			"9: route[0].path: is missing"},
}

func TestMistakes(t *testing.T) {
	for _, tt := range mistakes {
		t.Run(tt.name, func(t *testing.T) {
			c, err := config.Parse("some/config.toml", []byte(tt.doc), "/srv/kmproxy")
			bad, ok := errors.AsType[*config.Error](err)
			if !ok {
				t.Fatalf("got the error %v and a config, want an *Error:\n%s", err, c.Effective())
			}
			var told, lines []string
			for _, p := range bad.Problems {
				if p.File != "some/config.toml" || p.Line < 1 {
					t.Errorf("file %q, line %d", p.File, p.Line)
				}
				line := strings.TrimPrefix(p.Error(), "some/config.toml:")
				lines = append(lines, line)
				if p.Hint != "" {
					line += " -> " + p.Hint
				}
				told = append(told, line)
			}
			if diff := cmp.Diff(strings.Split(tt.want, "\n"), told); diff != "" {
				t.Errorf("wanted (-), got (+):\n%s", diff)
			}
			if want := "some/config.toml:" + strings.Join(lines, "\nsome/config.toml:"); bad.Error() != want {
				t.Errorf("Error() is %q, want %q", bad.Error(), want)
			}
		})
	}
}

// Whatever key has a value of the wrong type, its own line is named.
func TestEveryKeyIsBlamedInItsLine(t *testing.T) {
	data, err := os.ReadFile(shipped)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	tried := 0
	for i, line := range lines {
		key, _, found := strings.Cut(line, " = ")
		if !found || strings.HasPrefix(line, "#") {
			continue
		}
		tried++
		doc := slices.Clone(lines)
		doc[i] = key + " = 1979-05-27"
		_, err := config.Parse("config.toml", []byte(strings.Join(doc, "\n")), "/")
		bad, ok := errors.AsType[*config.Error](err)
		if !ok || len(bad.Problems) != 1 || bad.Problems[0].Line != i+1 || !strings.HasSuffix(bad.Problems[0].Key, "."+key) {
			t.Errorf("%s: want one problem in line %d, got %v", key, i+1, err)
		}
	}
	if tried == 0 {
		t.Error("no keys were found")
	}
}

// What stands where a secret may have been written by mistake is not repeated.
func TestMistakesDoNotRepeatSecrets(t *testing.T) {
	const secret = "hunter2hunter2"
	for _, doc := range []string{
		"[master_key]\nsource = '" + secret + "'",
		"[master_key]\nsource = 'passphrase:" + secret + "'",
		"[master_key]\nsource = 'passphrase-env:" + secret + "!'",
		"[upstream]\nurl = 'http://user:" + secret + "@host'",
		"[upstream]\nurl = 'http://user:" + secret + "@host:x'",
		"[upstream]\nurl = 'http://user:" + secret + "@host\\u0000'",
		"[store]\nurl = 'postgres://user:" + secret + "@host'",
		"[master_key]\npassphrase = '" + secret + "'",
	} {
		_, err := config.Parse("config.toml", []byte(doc), "/")
		bad, ok := errors.AsType[*config.Error](err)
		if !ok {
			t.Errorf("%s: no *Error: %v", doc, err)
			continue
		}
		if strings.Contains(bad.Error()+bad.Problems[0].Hint, secret) {
			t.Errorf("%s: the secret is in %q", doc, bad)
		}
	}
}

// Forms that look odd and are right.
func TestNoMistakes(t *testing.T) {
	for _, doc := range []string{
		"[admission]\nclock_skew = '0s'\nreplay_window = '0s'",
		"[admission]\nclock_skew = '24h'\nreplay_window = '48h'",
		"[admission]\nreplay_window = '2160h'",
		"[admission]\nreplay_window = '0s'\nclock_skew = '10m'",
		"[admission]\nmax_body = '1KiB'",
		"[admission]\nmax_body = '67108864B'",
		"[admission]\ntime_zones = { UTC = '-00:00', abc = '-14:00' }",
		"[admission.time_zones]\nKST = '+09:00'",
		"admission.time_zones.KST = '+09:00'",
		"listen = { address = '[::1]:0', base_path = '/a/b' }\nadmin.address = '[::1]:0'",
		"[listen]\naddress = '127.0.0.1:9443'\n[admin]\naddress = '127.0.0.2:9443'",
		"[tls]\nmode = 'files'\ncert_file = 'c'\nkey_file = 'k'\nhostnames = []",
		"[upstream]\nurl = 'HTTPS://ars_1.internal/base'\nca_file = 'c'",
		"[upstream]\nurl = 'http://[fe80::1%25eth0]:80'",
		"[upstream]\ntimeout = '1h'",
		"[keys]\nquiet = '0s'\nmax_per_project = 1",
		"route = [{ method = 'PUT', path = '/' }, { method = 'POST', path = '/' }]",
		"[[route]]\nmethod = 'POST'\npath = \"/a-._~!$&'()*+,;=:@/\"\npad = 65536",
		"\r\n[tls]\r\nmode = 'local'\r\n",
	} {
		if _, err := config.Parse("config.toml", []byte(doc), "/"); err != nil {
			t.Errorf("%s:\n%v", doc, err)
		}
	}
}
