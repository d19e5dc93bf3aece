package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"kmproxy/cmd/internal/arsdemo"
	"kmproxy/proxy/caller"
	"kmproxy/proxy/kona"
)

// demoViews are the three views of one call.
type demoViews struct {
	Client   view `json:"client_sent"`
	Upstream view `json:"upstream_saw"`
	Answer   view `json:"client_got"`
	// Wire is the answer as it came, before the client opened it.
	Wire string `json:"client_got_on_the_wire"`
}

type view struct {
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

func newDemoViews(x caller.Exchange, seen arsdemo.Seen) demoViews {
	return demoViews{
		Client:   view{protocolHeaders(x.RequestHeader), string(x.RequestBody)},
		Upstream: view{protocolHeaders(seen.Header), string(seen.Body)},
		Answer:   view{protocolHeaders(x.AnswerHeader), strings.TrimRight(string(x.Plaintext), " ")},
		Wire:     string(x.AnswerBody),
	}
}

// protocolHeaders are the X-KM headers, in the protocol's own spelling.
func protocolHeaders(h http.Header) map[string]string {
	out := map[string]string{}
	for name, values := range h {
		if written := kona.Written(http.CanonicalHeaderKey(name)); written != "" {
			out[written] = strings.Join(values, ", ")
		}
	}
	return out
}

func (v demoViews) text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "1. The client sent\n%s%s\n\n2. The upstream saw\n%s%s\n\n3. The client got\n%s%s\n   opened: %s\n",
		v.Client.lines(), cut(v.Client.Body), v.Upstream.lines(), indent+v.Upstream.Body,
		v.Answer.lines(), cut(v.Wire), v.Answer.Body)
	return err
}

const indent = "   "

func (v view) lines() string {
	var lines []string
	for name, value := range v.Headers {
		lines = append(lines, indent+name+": "+value+"\n")
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// cut shows the beginning and the end of a long body.
func cut(body string) string {
	const head, tail = 100, 20
	if len(body) <= head+tail {
		return indent + body
	}
	return fmt.Sprintf("%s%s … (%d bytes) … %s", indent, body[:head], len(body), body[len(body)-tail:])
}

// hints are the commands to try while the demo serves.
type hints struct {
	Call   string `json:"-"`
	Admin  string `json:"-"`
	Config string `json:"-"`
}

func (h hints) text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "\nThe demo goes on until Ctrl-C. In another terminal:\n\n%s\n"+
		"kmproxy --config %s key list\ncurl http://%s/metrics\n", h.Call, h.Config, h.Admin)
	return err
}
