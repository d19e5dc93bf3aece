package keys_test

import (
	"errors"
	"strings"
	"testing"

	"kmproxy/keys"
)

func TestPin(t *testing.T) {
	// printf key | sha256sum
	const text = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"
	pin := keys.NewPin([]byte("key"))
	if pin.String() != text {
		t.Errorf("it is %s, want %s", pin, text)
	}
	for s, ok := range map[string]bool{text: true, strings.ToUpper(text): true, "": false, text[:62]: false, text + "00": false,
		text[:63] + "g": false, strings.Repeat("0", 64): false} {
		got, err := keys.ParsePin(s)
		if (err == nil) != ok || !ok && !errors.Is(err, keys.ErrID) || ok && got != pin {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	other := keys.NewPin([]byte("other"))
	for _, c := range []struct {
		pin, shown keys.Pin
		want       bool
	}{{keys.Pin{}, keys.Pin{}, true}, {keys.Pin{}, other, true}, {pin, pin, true}, {pin, other, false}, {pin, keys.Pin{}, false}} {
		if got := c.pin.Admits(c.shown); got != c.want {
			t.Errorf("%q admits %q: %t", c.pin, c.shown, got)
		}
	}
}

// TestPinnedProject: the pin is kept, is shown, gets as far as requests, and stays
// when the project is changed.
func TestPinnedProject(t *testing.T) {
	o := newOffice(t)
	pin := keys.NewPin([]byte("key"))
	o.addProject(t, bob)
	issued := must(o.CreateProject(bg, operator, keys.NewProject{ASPID: alice, ClientPin: pin}))
	must(o.SuspendProject(bg, operator, alice))
	must(o.ResumeProject(bg, operator, alice))
	if p := must(o.Project(bg, alice)); p.ClientPin != pin {
		t.Errorf("shown is %q", p.ClientPin)
	}
	ring := must(keys.NewRing(o.load(t), masterKey(1), nil))
	m, ok := ring.ByAccessKey(issued.AccessKey, recorded)
	if !ok || m.Pin() != pin || !ring.Pinned() {
		t.Errorf("requests see %q, and that there is one: %t", m.Pin(), ring.Pinned())
	}
	if ringOf(t, nil, hand(bob)).Pinned() {
		t.Error("without a pinned project, there is one")
	}
}

// TestUnreadablePin: what cannot be read is not the same as none.
func TestUnreadablePin(t *testing.T) {
	h := hand(alice)
	h.ClientPin = "somebody"
	if _, err := keys.NewRing(snapshot(map[string][]byte{h.name(): h.record(1)}), masterKey(1), nil); !errors.Is(err, keys.ErrDamaged) {
		t.Errorf("got %v", err)
	}
}
