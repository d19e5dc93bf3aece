package jwe

import (
	"errors"
	"fmt"
	"io"

	"kmproxy/crypto/alg"
)

// ErrOpen is the one error for every message that cannot be opened. Whoever sent
// the message must not learn more (RFC 7516 §11.5).
var ErrOpen = errors.New("the message cannot be opened")

// openError is an ErrOpen with the reason for the operator's log.
type openError struct {
	reason string
	suite  alg.Suite // zero when the header was not accepted
}

func fail(reason string) error { return &openError{reason: reason} }

func (e *openError) Error() string        { return ErrOpen.Error() }
func (e *openError) Is(target error) bool { return target == ErrOpen }

// Format keeps the reason out of every verb, %+v and %#v too: an answer may
// print this error, and the answer goes to whoever sent the message.
func (e *openError) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.Error()) }

// Reason tells, for the operator's own log and nobody else, why a message could
// not be opened. It never quotes the message's content. It is empty for other
// errors.
func Reason(err error) string {
	e, ok := errors.AsType[*openError](err)
	switch {
	case !ok:
		return ""
	case e.suite.Valid():
		return e.reason + ", under " + e.suite.String()
	}
	return e.reason
}
