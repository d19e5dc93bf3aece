package proxy_test

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func set(name, value string) flaw { return func(_ *world, r *request) { r.set(name, value) } }

func add(name, value string) flaw {
	return func(_ *world, r *request) { r.fields = append(r.fields, field{name, value}) }
}

func drop(name string) flaw {
	return func(_ *world, r *request) { r.fields = slices.Delete(r.fields, r.find(name), r.find(name)+1) }
}

func rename(name, to string) flaw {
	return func(_ *world, r *request) { r.fields[r.find(name)].name = to }
}

// edit changes a header's value.
func edit(name string, by func(string) string) flaw {
	return func(_ *world, r *request) { r.set(name, by(r.get(name))) }
}

// twice sends a header a second time.
func twice(name string) flaw {
	return func(w *world, r *request) { add(name, r.get(name))(w, r) }
}

func method(name string) flaw { return func(_ *world, r *request) { r.method = name } }

func target(path string) flaw { return func(_ *world, r *request) { r.target = path } }

func proto(name string) flaw { return func(_ *world, r *request) { r.proto = name } }

// body sends another body, with a token of its own.
func body(text string) flaw {
	return func(_ *world, r *request) {
		r.body = []byte(text)
		r.retoken()
	}
}

// sealed sends a JWE made by hand.
func sealed(f forged) flaw {
	return func(w *world, r *request) { body(`{"encData":"`+f.token(w)+`"}`)(w, r) }
}

// aged makes both times differ from the clock.
func aged(by time.Duration) flaw {
	return func(_ *world, r *request) {
		r.at = r.at.Add(by)
		r.retoken()
	}
}

// framed sends the result of behind after these headers.
func framed(fields []field, behind func(body string) string) flaw {
	return func(_ *world, r *request) {
		r.fields = append(r.fields, fields...)
		r.behind = []byte(behind(string(r.body)))
	}
}

// chunks is a body in chunks of n bytes.
func chunks(body string, n int) string {
	var b strings.Builder
	for part := range slices.Chunk([]byte(body), n) {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(part), part)
	}
	return b.String() + "0\r\n\r\n"
}

// raw replaces the whole request.
func raw(by func(good string) string) flaw {
	return func(_ *world, r *request) { r.raw = []byte(by(string(r.bytes()))) }
}

// line changes the text of the request where it says old, once.
func line(old, to string) flaw {
	return raw(func(good string) string {
		if !strings.Contains(good, old) {
			panic("the request has no " + old)
		}
		return strings.Replace(good, old, to, 1)
	})
}
