package proxy

import (
	"errors"
	"fmt"

	"kmproxy/proxy/kona"
	"kmproxy/proxy/queue"
	"kmproxy/proxy/replay"
)

// refusal returns the answer for an error of a step. The text of an unknown error is
// dropped, because it may quote a body or a header.
func refusal(err error) *kona.Error {
	if e := knownRefusal(err); e != nil {
		return e
	}
	return kona.Refuse(kona.Internal, fmt.Sprintf("unexpected %T", err))
}

// knownRefusal maps the errors of the parts, which know nothing of the protocol, to
// the error table. It returns nil for an unknown error.
func knownRefusal(err error) *kona.Error {
	if e, ok := errors.AsType[*kona.Error](err); ok {
		return e
	}
	if errors.Is(err, replay.ErrReplayed) {
		return kona.Refuse(kona.AlreadyProcessed, "")
	}
	if errors.Is(err, errSlowBody) {
		return kona.RefuseNamed(kona.InvalidInput, "body", errSlowBody.Error())
	}
	if errors.Is(err, queue.ErrFull) {
		return kona.Refuse(kona.Overloaded, "private-key operations: "+queue.ErrFull.Error())
	}
	for _, full := range [...]error{errGivenUp, errShareUsed, errTooManyCalls, replay.ErrFull} {
		if errors.Is(err, full) {
			return kona.Refuse(kona.Overloaded, full.Error())
		}
	}
	return nil
}
