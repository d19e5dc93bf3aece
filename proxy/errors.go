package proxy

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"kmproxy/proxy/kona"
)

// failure is one row of the error table. The zero value is invalid.
type failure uint8

const (
	missingHeader failure = iota + 1
	wrongLength
	invalidInput
	unauthorized
	outsideWindow
	invalidKey
	decryptFailed
	alreadyProcessed
	noRoute
	noMethod
	tooLarge
	mediaType
	upstreamFailed
	upstreamTimedOut
	overloaded
	internalError
	clientGone // nobody is left to answer; only the log sees it
)

type row struct {
	status int
	code   string
	text   string
}

// table is everything kmproxy itself ever answers with.
var table = [...]row{
	missingHeader:    {http.StatusBadRequest, "000_003", "Missing required values."},
	wrongLength:      {http.StatusBadRequest, "000_015", "The length of value does not match."},
	invalidInput:     {http.StatusBadRequest, "000_002", "Invalid input parameter."},
	unauthorized:     {http.StatusUnauthorized, "900_001", "Unauthorized."},
	outsideWindow:    {http.StatusUnauthorized, "900_002", "Request time is outside the allowed window."},
	invalidKey:       {http.StatusBadRequest, "900_003", "Invalid crypto key."},
	decryptFailed:    {http.StatusBadRequest, "900_004", "Decryption failed."},
	alreadyProcessed: {http.StatusConflict, "900_005", "Request was already processed."},
	noRoute:          {http.StatusNotFound, "900_006", "No such route."},
	noMethod:         {http.StatusMethodNotAllowed, "900_007", "No such method."},
	tooLarge:         {http.StatusRequestEntityTooLarge, "900_008", "Request is too large."},
	mediaType:        {http.StatusUnsupportedMediaType, "900_009", "Unsupported media type."},
	upstreamFailed:   {http.StatusBadGateway, "900_010", "Upstream failed."},
	upstreamTimedOut: {http.StatusGatewayTimeout, "900_011", "Upstream timed out."},
	overloaded:       {http.StatusServiceUnavailable, "900_012", "Overloaded."},
	internalError:    {http.StatusInternalServerError, "900_013", "Internal error."},
	clientGone:       {499, "client_gone", "The client went away."},
}

// Error is a request that kmproxy answers itself. What goes to the caller is the
// table's row and a name from the protocol; reason is for the operator's log.
type Error struct {
	kind   failure
	name   string // the header or member at fault, if the row tells one
	reason string
	allow  string // for noMethod: the methods the path has
}

// Error is the operator's view.
func (e *Error) Error() string {
	out := table[e.kind].code + " " + e.description()
	if e.reason != "" {
		out += " (" + e.reason + ")"
	}
	return out
}

// Status is the HTTP status of the answer.
func (e *Error) Status() int { return table[e.kind].status }

// Code is the protocol's code of the answer.
func (e *Error) Code() string { return table[e.kind].code }

func (e *Error) description() string {
	if e.name == "" {
		return table[e.kind].text
	}
	return table[e.kind].text + " " + e.name
}

func refuse(kind failure, reason string) *Error { return &Error{kind: kind, reason: reason} }

func refuseInput(kind failure, name, reason string) *Error {
	return &Error{kind: kind, name: name, reason: reason}
}

// refuseHeader maps what package auth found wrong.
func refuseHeader(err error) *Error {
	h, ok := errors.AsType[*kona.HeaderError](err)
	if !ok {
		return refuse(internalError, "reading the headers")
	}
	kinds := [...]failure{kona.Missing: missingHeader, kona.Length: wrongLength, kona.Form: invalidInput}
	return refuseInput(kinds[h.Fault], h.Name, "")
}

// asError maps what is not mapped yet. Nothing of an unknown error's text is
// kept, for nobody has checked what it quotes.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return refuse(internalError, fmt.Sprintf("unexpected %T", err))
}

// body is the answer in the protocol's envelope.
func (e *Error) body() []byte {
	type response struct {
		Code        string `json:"code"`
		Description string `json:"description"`
	}
	out, err := json.Marshal(map[string]response{"response": {e.Code(), e.description()}})
	if err != nil {
		panic("proxy: " + err.Error()) // two strings always encode
	}
	return out
}
