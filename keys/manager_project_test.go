package keys_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
)

func secret(s string) sensitive.Bytes { return sensitive.New([]byte(s)) }

func TestCreateProjectIssuesASecret(t *testing.T) {
	o := newOffice(t)
	first, second := o.addProject(t, alice), o.addProject(t, bob)
	if first.ASPID != alice || first.Secret.Len() != 52 || first.Secret.Equal(second.Secret.Expose()) || first.AccessKey == second.AccessKey {
		t.Errorf("got %+v and %+v", first, second)
	}
	ring := must(keys.NewRing(o.load(t), masterKey(1), nil))
	for _, issued := range []keys.Issued{first, second} {
		m, ok := ring.ByAccessKey(issued.AccessKey, morning)
		if !ok || m.ASPID() != issued.ASPID || m.Suspended() {
			t.Fatalf("%s is not found", issued.AccessKey)
		}
		if got, err := m.Secret(issued.AccessKey); err != nil || !got.Equal(issued.Secret.Expose()) {
			t.Errorf("another secret than the one told, or %v", err)
		}
	}
}

func TestCreateProjectTakesWhatIsBroughtAlong(t *testing.T) {
	for length, good := range map[int]bool{1: false, 5: false, 6: true, 7: true, 52: true, 512: true, 513: false} {
		o := newOffice(t)
		text := strings.Repeat("s", length)
		issued, err := o.CreateProject(t.Context(), operator, keys.NewProject{ASPID: alice, AccessKey: accessKey(alice), Secret: secret(text)})
		switch {
		case good && (err != nil || issued.AccessKey != accessKey(alice) || !issued.Secret.Equal([]byte(text))):
			t.Errorf("a secret of %d characters: %v", length, err)
		case !good && (!errors.Is(err, keys.ErrRefused) || issued != keys.Issued{} || o.load(t).Revision != 0):
			t.Errorf("a secret of %d characters: %v", length, err)
		}
	}
}

func TestCreateProjectRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		n    keys.NewProject
		want error
	}{
		"a known ASP id":           {keys.NewProject{ASPID: alice}, keys.ErrExists},
		"a known access key":       {keys.NewProject{ASPID: bob, AccessKey: accessKey(alice)}, keys.ErrExists},
		"no ASP id":                {keys.NewProject{}, keys.ErrID},
		"a path as ASP id":         {keys.NewProject{ASPID: "../000000000000"}, keys.ErrID},
		"a short ASP id":           {keys.NewProject{ASPID: "Bob"}, keys.ErrID},
		"a short access key":       {keys.NewProject{ASPID: bob, AccessKey: "short"}, keys.ErrID},
		"a blank in an access key": {keys.NewProject{ASPID: bob, AccessKey: keys.AccessKey(strings.Repeat(" ", 40))}, keys.ErrID},
		"a line break in a name":   {keys.NewProject{ASPID: bob, Name: "a\nb"}, keys.ErrRefused},
		"an escape in a name":      {keys.NewProject{ASPID: bob, Name: "\x1b[2J"}, keys.ErrRefused},
		"a NUL in a name":          {keys.NewProject{ASPID: bob, Name: "\x00"}, keys.ErrRefused},
		"a DEL in a name":          {keys.NewProject{ASPID: bob, Name: "a\x7f"}, keys.ErrRefused},
		"a line separator":         {keys.NewProject{ASPID: bob, Name: "a\u2028b"}, keys.ErrRefused},
		"a name that turns around": {keys.NewProject{ASPID: bob, Name: "a\u202eb"}, keys.ErrRefused},
		"a name not in UTF-8":      {keys.NewProject{ASPID: bob, Name: "a\xff"}, keys.ErrRefused},
		"a long name":              {keys.NewProject{ASPID: bob, Name: strings.Repeat("x", 201)}, keys.ErrRefused},
	} {
		o := handOffice(t, hand(alice))
		before := o.load(t).Revision
		issued, err := o.CreateProject(t.Context(), operator, c.n)
		if !errors.Is(err, c.want) || issued != (keys.Issued{}) {
			t.Errorf("%s: got %v", name, err)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\x1b\x00\n\x7f\u2028\u202e") {
			t.Errorf("%s: the error repeats it: %q", name, err)
		}
		if now := o.load(t).Revision; now != before {
			t.Errorf("%s: revision %d became %d", name, before, now)
		}
	}
}

func TestAccessKeyKnownInASuspendedProject(t *testing.T) {
	h := hand(alice)
	h.State = "suspended"
	o := handOffice(t, h)
	if _, err := o.CreateProject(t.Context(), operator, keys.NewProject{ASPID: bob, AccessKey: accessKey(alice)}); !errors.Is(err, keys.ErrExists) {
		t.Errorf("got %v", err)
	}
}

func TestSuspendAndResume(t *testing.T) {
	o := newOffice(t)
	issued := o.addProject(t, alice)
	o.addProject(t, bob)
	suspended := func() bool {
		m, _ := must(keys.NewRing(o.load(t), masterKey(1), nil)).ByAccessKey(issued.AccessKey, morning)
		if shown := must(o.Project(t.Context(), alice)).Suspended; shown != m.Suspended() {
			t.Errorf("shown as suspended: %t, in the ring: %t", shown, m.Suspended())
		}
		return m.Suspended()
	}
	for range 2 {
		p, err := o.SuspendProject(t.Context(), operator, alice)
		if err != nil || !p.Suspended || !suspended() || !reflect.DeepEqual(p, must(o.Project(t.Context(), alice))) {
			t.Errorf("suspend: %+v, %v", p, err)
		}
		before := o.load(t).Revision
		if _, err := o.SuspendProject(t.Context(), operator, alice); !errors.Is(err, keys.ErrRefused) || o.load(t).Revision != before {
			t.Errorf("suspend again: %v", err)
		}
		if p, err := o.ResumeProject(t.Context(), operator, alice); err != nil || p.Suspended || suspended() {
			t.Errorf("resume: %+v, %v", p, err)
		}
		before = o.load(t).Revision
		if _, err := o.ResumeProject(t.Context(), operator, alice); !errors.Is(err, keys.ErrRefused) || o.load(t).Revision != before {
			t.Errorf("resume again: %v", err)
		}
	}
	if p := must(o.Project(t.Context(), bob)); p.Suspended {
		t.Error("another project was suspended")
	}
}

func TestUnknownProject(t *testing.T) {
	o := handOffice(t, hand(alice))
	before := o.load(t).Revision
	for _, id := range []keys.ASPID{bob, "", "ALICE0000000001", "seal", "../seal"} {
		_, suspendErr := o.SuspendProject(t.Context(), operator, id)
		_, resumeErr := o.ResumeProject(t.Context(), operator, id)
		_, showErr := o.Project(t.Context(), id)
		for _, err := range []error{suspendErr, resumeErr, showErr} {
			if !errors.Is(err, keys.ErrNotFound) {
				t.Errorf("%q: got %v", id, err)
			}
		}
	}
	if now := o.load(t).Revision; now != before {
		t.Errorf("revision %d became %d", before, now)
	}
}

func TestProjectsAreListedByID(t *testing.T) {
	o := newOffice(t)
	if all, err := o.Projects(t.Context()); err != nil || len(all) != 0 {
		t.Fatalf("an empty store: %d projects, %v", len(all), err)
	}
	want := []keys.ASPID{"0Project0000001", "AProject0000001", "ZProject0000001", "aProject0000001", "zProject0000001"}
	for _, i := range []int{3, 0, 4, 2, 1} {
		o.addProject(t, want[i])
	}
	var got []keys.ASPID
	for _, p := range must(o.Projects(t.Context())) {
		got = append(got, p.ASPID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
