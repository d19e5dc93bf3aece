package keys

import (
	"errors"
	"fmt"
)

// State is where a crypto key stands in its life. The zero value is invalid.
type State uint8

// The states of a crypto key.
const (
	Staged    State = iota + 1 // known, not in use yet
	Active                     // opens requests and seals answers; at most one a project
	Draining                   // was active: opens requests, answers those under its own id
	Suspended                  // off, and can come back
	Discarded                  // gone for good; a tombstone keeps the id from coming back
)

var stateNames = [...]string{Staged: "staged", Active: "active", Draining: "draining", Suspended: "suspended", Discarded: "discarded"}

// Move is what can be done to a crypto key. The zero value is invalid.
type Move uint8

// The moves.
const (
	Promote Move = iota + 1 // make it the active key
	Drain                   // what promotion of another key does to the active one
	Suspend
	Resume
	Discard
)

var moveNames = [...]string{Promote: "promote", Drain: "drain", Suspend: "suspend", Resume: "resume", Discard: "discard"}

// moves is the whole table: what is not in it cannot happen.
var moves = [...][Discard + 1]State{
	Staged:    {Promote: Active, Discard: Discarded},
	Active:    {Drain: Draining, Suspend: Suspended},
	Draining:  {Suspend: Suspended},
	Suspended: {Promote: Active, Resume: Draining, Discard: Discarded},
	Discarded: {},
}

// ErrState reports a text that names no state.
var ErrState = errors.New("no such state")

// MoveError reports a move that the table of states does not have.
type MoveError struct {
	From State
	Move Move
}

func (e *MoveError) Error() string {
	return fmt.Sprintf("a key that is %s cannot be told to %s", e.From, e.Move)
}

// After is the state that a move leads to. Its error is a *MoveError.
func (s State) After(m Move) (State, error) {
	if s.Valid() && m.Valid() {
		if next := moves[s][m]; next.Valid() {
			return next, nil
		}
	}
	return 0, &MoveError{From: s, Move: m}
}

// ParseState finds a state by its name. Its error is ErrState.
func ParseState(name string) (State, error) {
	for s := Staged; s.Valid(); s++ {
		if stateNames[s] == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("%w: %.20q", ErrState, name)
}

// Valid tells whether s is one of the five states.
func (s State) Valid() bool { return s >= Staged && s <= Discarded }

// Usable tells whether a key in this state opens requests and seals answers.
func (s State) Usable() bool { return s == Active || s == Draining }

// String is the state's name in commands and records.
func (s State) String() string {
	if !s.Valid() {
		return fmt.Sprintf("invalid state %d", uint8(s))
	}
	return stateNames[s]
}

// Valid tells whether m is one of the moves.
func (m Move) Valid() bool { return m >= Promote && m <= Discard }

// String is the move's name.
func (m Move) String() string {
	if !m.Valid() {
		return fmt.Sprintf("invalid move %d", uint8(m))
	}
	return moveNames[m]
}
