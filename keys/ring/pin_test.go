package ring_test

import (
	"errors"
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/keystest"
	"kmproxy/keys/manage"
	"kmproxy/keys/ring"
)

// TestPinnedProject: the pin is kept, is shown, gets as far as requests, and stays
// when the project is changed.
func TestPinnedProject(t *testing.T) {
	o := keystest.NewOffice(t)
	pin := keys.NewPin([]byte("key"))
	o.AddProject(t, keystest.Bob)
	issued := keystest.Must(o.CreateProject(keystest.Background, keystest.Operator, manage.NewProject{ASPID: keystest.Alice, ClientPin: pin}))
	keystest.Must(o.SuspendProject(keystest.Background, keystest.Operator, keystest.Alice))
	keystest.Must(o.ResumeProject(keystest.Background, keystest.Operator, keystest.Alice))
	if p := keystest.Must(o.Project(keystest.Background, keystest.Alice)); p.ClientPin != pin {
		t.Errorf("shown is %q", p.ClientPin)
	}
	shown := keystest.Must(ring.New(o.Load(t), keystest.MasterKey(1), nil))
	m, ok := shown.ByAccessKey(issued.AccessKey, keystest.Recorded)
	if !ok || m.Pin() != pin || !shown.Pinned() {
		t.Errorf("requests see %q, and that there is one: %t", m.Pin(), shown.Pinned())
	}
	if ringOf(t, nil, keystest.RecordFor(keystest.Bob)).Pinned() {
		t.Error("without a pinned project, there is one")
	}
}

// TestUnreadablePin: what cannot be read is not the same as none.
func TestUnreadablePin(t *testing.T) {
	h := keystest.RecordFor(keystest.Alice)
	h.ClientPin = "somebody"
	if _, err := ring.New(keystest.Snapshot(map[string][]byte{h.RecordName(): h.Record(1)}), keystest.MasterKey(1), nil); !errors.Is(err, keys.ErrDamaged) {
		t.Errorf("got %v", err)
	}
}
