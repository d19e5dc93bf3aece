package kona

import (
	"encoding/json"
	"net/http"
)

// Failure is a row of the error table. The zero value is invalid.
type Failure uint8

// The rows of the error table.
const (
	MissingValue Failure = iota + 1
	WrongLength
	InvalidInput
	Unauthorized
	OutsideWindow
	InvalidKey
	DecryptionFailed
	AlreadyProcessed
	NoRoute
	NoMethod
	TooLarge
	UnsupportedMedia
	UpstreamFailed
	UpstreamTimedOut
	Overloaded
	Internal
	ClientGone // the client closed its connection: it gets no answer, and the row is for the log alone
)

type row struct {
	status int
	code   string
	text   string
}

// table has every answer that kmproxy itself gives.
var table = [...]row{
	MissingValue:     {http.StatusBadRequest, "000_003", "Missing required values."},
	WrongLength:      {http.StatusBadRequest, "000_015", "The length of value does not match."},
	InvalidInput:     {http.StatusBadRequest, "000_002", "Invalid input parameter."},
	Unauthorized:     {http.StatusUnauthorized, "900_001", "Unauthorized."},
	OutsideWindow:    {http.StatusUnauthorized, "900_002", "Request time is outside the allowed window."},
	InvalidKey:       {http.StatusBadRequest, "900_003", "Invalid crypto key."},
	DecryptionFailed: {http.StatusBadRequest, "900_004", "Decryption failed."},
	AlreadyProcessed: {http.StatusConflict, "900_005", "Request was already processed."},
	NoRoute:          {http.StatusNotFound, "900_006", "No such route."},
	NoMethod:         {http.StatusMethodNotAllowed, "900_007", "No such method."},
	TooLarge:         {http.StatusRequestEntityTooLarge, "900_008", "Request is too large."},
	UnsupportedMedia: {http.StatusUnsupportedMediaType, "900_009", "Unsupported media type."},
	UpstreamFailed:   {http.StatusBadGateway, "900_010", "Upstream failed."},
	UpstreamTimedOut: {http.StatusGatewayTimeout, "900_011", "Upstream timed out."},
	Overloaded:       {http.StatusServiceUnavailable, "900_012", "Overloaded."},
	Internal:         {http.StatusInternalServerError, "900_013", "Internal error."},
	ClientGone:       {499, "client_gone", "The client went away."},
}

// Error is a failure of one request. The caller gets the row of the table and the
// name; the reason is for the operator's log and is never sent.
type Error struct {
	Failure Failure
	Name    string // the header or member at fault, as the protocol spells it; empty: the row names none
	Reason  string
	Allow   string // for NoMethod: the methods of the path, as in the header Allow
}

// Refuse returns the error of a row that names no header or member.
func Refuse(f Failure, reason string) *Error { return &Error{Failure: f, Reason: reason} }

// RefuseNamed returns the error of a row that names a header or member.
func RefuseNamed(f Failure, name, reason string) *Error {
	return &Error{Failure: f, Name: name, Reason: reason}
}

// Error returns code and text with the reason, for the operator.
func (e *Error) Error() string {
	out := e.Code() + " " + e.description()
	if e.Reason != "" {
		out += " (" + e.Reason + ")"
	}
	return out
}

// Status returns the HTTP status of the answer.
func (e *Error) Status() int { return table[e.Failure].status }

// Code returns the protocol's code of the answer.
func (e *Error) Code() string { return table[e.Failure].code }

func (e *Error) description() string {
	if e.Name == "" {
		return table[e.Failure].text
	}
	return table[e.Failure].text + " " + e.Name
}

// Body returns the answer in the protocol's envelope.
func (e *Error) Body() []byte {
	type response struct {
		Code        string `json:"code"`
		Description string `json:"description"`
	}
	out, err := json.Marshal(map[string]response{"response": {e.Code(), e.description()}})
	if err != nil {
		panic("kona: " + err.Error()) // two strings always encode
	}
	return out
}
