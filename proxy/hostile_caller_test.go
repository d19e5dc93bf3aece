package proxy_test

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"

	"kmproxy/crypto/sensitive"
	"kmproxy/crypto/trantoken"
	"kmproxy/keys"
	"kmproxy/proxy/caller"
)

// callerRows come from unknown callers, from another caller, or with a body that the
// token was not made for. The answer does not reveal which.
func callerRows() []row {
	const name = "X-KM-Tran-Token"
	secretOf := func(secret func(w *world) []byte) flaw {
		return func(w *world, r *request) {
			r.set(name, trantoken.Make(sensitive.New(secret(w)), r.body, r.at.UTC()))
		}
	}
	over := func(what func(body []byte) []byte) flaw {
		return func(w *world, r *request) {
			r.set(name, trantoken.Make(r.signer.Secret, what(r.body), r.at.UTC()))
		}
	}
	mac := func(by func(mac string) string) flaw {
		return edit(name, func(s string) string { return s[:23] + by(s[23:]) })
	}
	flip := func(i int) func(string) string {
		return func(s string) string {
			return base64.StdEncoding.EncodeToString(flipped(must(base64.StdEncoding.DecodeString(s)), i))
		}
	}
	rows := []row{
		{name: "good", base: plainRequest, want: passes},
		{name: "good, encrypted", base: sealedRequest, want: passes},
		{name: "good, another project's", base: plainRequest, flaws: []flaw{as(func(w *world) *caller.Caller { return w.foreign })}, want: passes},
		{name: "good, the MAC is not padded", base: plainRequest, flaws: []flaw{edit(name, func(s string) string { return s[:66] })}, want: passes},
		{name: "good, a time of 16 digits", base: plainRequest, flaws: []flaw{edit(name, func(s string) string { return s[:21] + s[22:] })}, want: passes},
		{name: "good, no body", base: plainRequest, flaws: []flaw{body("")}, want: passes},
		{name: "good, a body that is not JSON", base: plainRequest, flaws: []flaw{body("\x00\xff")}, want: passes},
	}
	for what, f := range map[string]flaw{
		"unknown access key":       set("X-KM-Access-Key", strings.Repeat("0", 40)),
		"access key in upper case": edit("X-KM-Access-Key", strings.ToUpper),
		"another's access key":     func(w *world, r *request) { r.set("X-KM-Access-Key", string(w.foreign.AccessKey)) },
		"another's access key and secret": func(w *world, r *request) {
			r.set("X-KM-Access-Key", string(w.foreign.AccessKey))
			r.signer = w.foreign
			r.retoken()
		},
		"another's ASP id":                       func(w *world, r *request) { r.set("X-KM-User-AspId", string(w.foreign.ASPID)) },
		"unknown ASP id":                         set("X-KM-User-AspId", "999999999999999"),
		"suspended project":                      as(func(w *world) *caller.Caller { return w.suspended }),
		"no client certificate of the project's": as(func(w *world) *caller.Caller { return w.pinned }),
		"suspended project, another's token": func(w *world, r *request) {
			as(func(w *world) *caller.Caller { return w.suspended })(w, r)
			r.signer = w.Caller
			r.retoken()
		},
		"another's secret":               func(w *world, r *request) { r.signer = w.foreign; r.retoken() },
		"empty secret":                   secretOf(func(*world) []byte { return nil }),
		"the access key for a secret":    secretOf(func(w *world) []byte { return []byte(w.Caller.AccessKey) }),
		"the secret in upper case":       secretOf(func(w *world) []byte { return []byte(strings.ToLower(string(w.Caller.Secret.Expose()))) }),
		"the secret and a line break":    secretOf(func(w *world) []byte { return append(w.Caller.Secret.Expose()[:52:52], '\n') }),
		"another body's token":           over(func([]byte) []byte { return []byte("{}") }),
		"no body's token":                over(func([]byte) []byte { return nil }),
		"the token of the body's base64": over(func(b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b)) }),
		"the token of a shorter body":    over(func(b []byte) []byte { return b[:len(b)-1] }),
		"a blank more in the body":       func(_ *world, r *request) { r.body = append(r.body, ' ') },
		"a line break more in the body":  func(_ *world, r *request) { r.body = append(r.body, '\n') },
		"a BOM before the body":          func(_ *world, r *request) { r.body = append([]byte("\ufeff"), r.body...) },
		"another body":                   func(_ *world, r *request) { r.body = flipped(r.body, -2) },
		"MAC of zeros":                   mac(func(string) string { return strings.Repeat("A", 43) + "=" }),
		"MAC's first bit":                mac(flip(0)),
		"MAC's last bit":                 mac(flip(-1)),
	} {
		rows = append(rows,
			row{name: what, base: plainRequest, flaws: []flaw{f}, want: unauthorized, alike: alikeStranger},
			row{name: what + ", encrypted", base: sealedRequest, flaws: []flaw{f}, want: unauthorized, alike: alikeStranger})
	}
	return append(rows,
		row{name: "the plaintext's token", base: sealedRequest, flaws: []flaw{over(func([]byte) []byte { return []byte(plaintext) })}, want: unauthorized, alike: alikeStranger},
		row{name: "an unknown caller with a bad key id", base: sealedRequest, flaws: []flaw{set("X-KM-Access-Key", strings.Repeat("0", 40)),
			set("X-KM-Crypto-Key-Id", strings.Repeat("0", 32))}, want: unauthorized, alike: alikeStranger},
		row{name: "an unknown caller with a bad wrapper", base: sealedRequest, flaws: []flaw{body(`{"ENCDATA":1}`), set("X-KM-Access-Key", strings.Repeat("0", 40))},
			want: unauthorized, alike: alikeStranger},
		row{name: "an unknown caller of long ago", base: sealedRequest, flaws: []flaw{aged(-time.Hour), set("X-KM-Access-Key", strings.Repeat("0", 40))},
			want: unauthorized, alike: alikeStranger},
		row{name: "MAC in hex", base: plainRequest, flaws: []flaw{edit(name, func(s string) string {
			return hex.EncodeToString(must(base64.StdEncoding.DecodeString(s[23:]))) + "=="
		})}, want: invalid(name)},
		row{name: "MAC in base64url", base: plainRequest, flaws: []flaw{mac(func(s string) string { return "-_" + s[2:] })}, want: invalid(name)},
		row{name: "MAC with bits behind its end", base: plainRequest, flaws: []flaw{mac(func(s string) string { return s[:42] + "B=" })}, want: invalid(name)},
		row{name: "token without its prefix", base: plainRequest, flaws: []flaw{edit(name, func(s string) string { return s[5:] + "=====" })}, want: invalid(name)})
}

// as makes the request another caller's, in every header that names one.
func as(who func(*world) *caller.Caller) flaw {
	return func(w *world, r *request) {
		r.signer = who(w)
		r.set("X-KM-User-AspId", string(r.signer.ASPID))
		r.set("X-KM-Access-Key", string(r.signer.AccessKey))
		if r.find("X-KM-Crypto-Key-Id") >= 0 {
			r.set("X-KM-Crypto-Key-Id", string(r.signer.KeyID))
			r.body = must(r.signer.Encrypt([]byte(plaintext)))
		}
		r.retoken()
	}
}

// timeRows are authentic and too old, or come from the future.
func timeRows() []row {
	const digits = "20060102150405"
	sentAt := func(by time.Duration) flaw {
		return func(_ *world, r *request) { r.set("X-KM-Tran-Time", r.at.UTC().Add(by).Format(digits)) }
	}
	zone := func(name string, offset time.Duration) flaw {
		return func(_ *world, r *request) {
			r.at = r.at.Add(offset)
			r.retoken()
			r.set("X-KM-Time-Zone", name)
		}
	}
	return []row{
		{name: "good", base: plainRequest, want: passes},
		{name: "good, 4 minutes old", base: plainRequest, flaws: []flaw{aged(-4 * time.Minute)}, want: passes},
		{name: "good, 4 minutes early", base: sealedRequest, flaws: []flaw{aged(4 * time.Minute)}, want: passes},
		{name: "good, times that differ", base: plainRequest, flaws: []flaw{sentAt(3 * time.Minute)}, want: passes},
		{name: "good, with milliseconds", base: plainRequest, flaws: []flaw{edit("X-KM-Tran-Time", func(s string) string { return s + "999" })}, want: passes},
		{name: "good, in Korea", base: plainRequest, flaws: []flaw{zone("KST", 9*time.Hour)}, want: passes},
		{name: "6 minutes old", base: plainRequest, flaws: []flaw{aged(-6 * time.Minute)}, want: outsideWindow},
		{name: "6 minutes old, encrypted", base: sealedRequest, flaws: []flaw{aged(-6 * time.Minute)}, want: outsideWindow},
		{name: "6 minutes early", base: plainRequest, flaws: []flaw{aged(6 * time.Minute)}, want: outsideWindow},
		{name: "only the token is old", base: plainRequest, flaws: []flaw{aged(-6 * time.Minute), sentAt(6 * time.Minute)}, want: outsideWindow},
		{name: "only the header is old", base: plainRequest, flaws: []flaw{sentAt(-6 * time.Minute)}, want: outsideWindow},
		{name: "only the header is early", base: plainRequest, flaws: []flaw{sentAt(6 * time.Minute)}, want: outsideWindow},
		{name: "Korea's time called UTC", base: plainRequest, flaws: []flaw{zone("UTC", 9*time.Hour)}, want: outsideWindow},
		{name: "UTC called Korea's", base: plainRequest, flaws: []flaw{zone("KST", 0)}, want: outsideWindow},
		{name: "year 0", base: plainRequest, flaws: []flaw{set("X-KM-Tran-Time", "00000101000000")}, want: outsideWindow},
		{name: "year 9999", base: plainRequest, flaws: []flaw{set("X-KM-Tran-Time", "99991231235959")}, want: outsideWindow},
		{name: "old, with an unknown key id", base: plainRequest, flaws: []flaw{aged(-time.Hour), add("X-KM-Crypto-Key-Id", strings.Repeat("0", 32))}, want: outsideWindow},
		{name: "old, and encrypted under nothing", base: sealedRequest, flaws: []flaw{body(`{"encData":"x"}`), aged(-time.Hour)}, want: outsideWindow},
	}
}

// keyRows name keys that the caller may not use. The answer does not reveal whether a
// key exists.
func keyRows() []row {
	id := func(of func(*world) keys.KeyID) flaw {
		return func(w *world, r *request) { r.set("X-KM-Crypto-Key-Id", string(of(w))) }
	}
	// under also seals to that key, so that only its state keeps it from being opened.
	under := func(of func(*world) *caller.Caller) flaw {
		return func(w *world, r *request) {
			r.body = must(of(w).Encrypt([]byte(plaintext)))
			r.retoken()
			r.set("X-KM-Crypto-Key-Id", string(of(w).KeyID))
		}
	}
	own := func(w *world) keys.KeyID { return w.Caller.KeyID }
	rows := []row{
		{name: "good", base: sealedRequest, want: passes},
		{name: "good, draining", base: sealedRequest, flaws: []flaw{under(func(w *world) *caller.Caller { return w.draining })}, want: passes},
		{name: "good, in upper case", base: sealedRequest, flaws: []flaw{id(func(w *world) keys.KeyID { return keys.KeyID(strings.ToUpper(string(own(w)))) })}, want: passes},
		{name: "good, named with a plain body", base: plainRequest, flaws: []flaw{add("X-KM-Crypto-Key-Id", ""), id(own)}, want: passes},
		{name: "of the same project, another key's body", base: sealedRequest, flaws: []flaw{id(func(w *world) keys.KeyID { return w.draining.KeyID })}, want: decryptFailed, alike: alikeJWE, rsa: true},
		{name: "none, encrypted", base: sealedRequest, flaws: []flaw{drop("X-KM-Crypto-Key-Id")}, want: missing("X-KM-Crypto-Key-Id")},
	}
	for what, of := range map[string]func(*world) keys.KeyID{
		"unknown":               func(*world) keys.KeyID { return "00000000000000000000000000000000" },
		"another project's":     func(w *world) keys.KeyID { return w.foreign.KeyID },
		"a suspended project's": func(w *world) keys.KeyID { return w.suspended.KeyID },
		"staged":                func(w *world) keys.KeyID { return w.staged.KeyID },
		"suspended":             func(w *world) keys.KeyID { return w.off.KeyID },
		"of its own length":     func(w *world) keys.KeyID { return own(w)[1:] + own(w)[:1] },
	} {
		rows = append(rows,
			row{name: what, base: sealedRequest, flaws: []flaw{id(of)}, want: invalidKey, alike: alikeKey},
			row{name: what + ", with a plain body", base: plainRequest, flaws: []flaw{add("X-KM-Crypto-Key-Id", ""), id(of)}, want: invalidKey, alike: alikeKey},
			row{name: what + ", with a bad wrapper", base: sealedRequest, flaws: []flaw{body(`{"encData":1}`), id(of)}, want: invalidKey, alike: alikeKey})
	}
	for what, of := range map[string]func(*world) *caller.Caller{
		"another project's, sealed to it": func(w *world) *caller.Caller { return w.foreign },
		"staged, sealed to it":            func(w *world) *caller.Caller { return w.staged },
		"suspended, sealed to it":         func(w *world) *caller.Caller { return w.off },
	} {
		rows = append(rows, row{name: what, base: sealedRequest, flaws: []flaw{under(of)}, want: invalidKey, alike: alikeKey})
	}
	return rows
}
