package manage_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"kmproxy/keys/ring"

	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/keys/keystest"
	"kmproxy/keys/manage"
)

func secret(s string) sensitive.Bytes { return sensitive.New([]byte(s)) }

func TestCreateProjectIssuesASecret(t *testing.T) {
	o := keystest.NewOffice(t)
	first, second := o.AddProject(t, keystest.Alice), o.AddProject(t, keystest.Bob)
	if first.ASPID != keystest.Alice || first.Secret.Len() != 52 || first.Secret.Equal(second.Secret.Expose()) || first.AccessKey == second.AccessKey {
		t.Errorf("got %+v and %+v", first, second)
	}
	ring := keystest.Must(ring.New(o.Load(t), keystest.MasterKey(1), nil))
	for _, issued := range []manage.Issued{first, second} {
		m, ok := ring.ByAccessKey(issued.AccessKey, keystest.Morning)
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
		o := keystest.NewOffice(t)
		text := strings.Repeat("s", length)
		issued, err := o.CreateProject(t.Context(), keystest.Operator, manage.NewProject{ASPID: keystest.Alice, AccessKey: keystest.AccessKey(keystest.Alice), Secret: secret(text)})
		switch {
		case good && (err != nil || issued.AccessKey != keystest.AccessKey(keystest.Alice) || !issued.Secret.Equal([]byte(text))):
			t.Errorf("a secret of %d characters: %v", length, err)
		case !good && (!errors.Is(err, keys.ErrRefused) || issued != manage.Issued{} || o.Load(t).Revision != 0):
			t.Errorf("a secret of %d characters: %v", length, err)
		}
	}
}

func TestCreateProjectRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		n    manage.NewProject
		want error
	}{
		"a known ASP id":           {manage.NewProject{ASPID: keystest.Alice}, keys.ErrExists},
		"a known access key":       {manage.NewProject{ASPID: keystest.Bob, AccessKey: keystest.AccessKey(keystest.Alice)}, keys.ErrExists},
		"no ASP id":                {manage.NewProject{}, keys.ErrID},
		"a path as ASP id":         {manage.NewProject{ASPID: "../000000000000"}, keys.ErrID},
		"a short ASP id":           {manage.NewProject{ASPID: "Bob"}, keys.ErrID},
		"a short access key":       {manage.NewProject{ASPID: keystest.Bob, AccessKey: "short"}, keys.ErrID},
		"a blank in an access key": {manage.NewProject{ASPID: keystest.Bob, AccessKey: keys.AccessKey(strings.Repeat(" ", 40))}, keys.ErrID},
		"a line break in a name":   {manage.NewProject{ASPID: keystest.Bob, Name: "a\nb"}, keys.ErrRefused},
		"an escape in a name":      {manage.NewProject{ASPID: keystest.Bob, Name: "\x1b[2J"}, keys.ErrRefused},
		"a NUL in a name":          {manage.NewProject{ASPID: keystest.Bob, Name: "\x00"}, keys.ErrRefused},
		"a DEL in a name":          {manage.NewProject{ASPID: keystest.Bob, Name: "a\x7f"}, keys.ErrRefused},
		"a line separator":         {manage.NewProject{ASPID: keystest.Bob, Name: "a\u2028b"}, keys.ErrRefused},
		"a name that turns around": {manage.NewProject{ASPID: keystest.Bob, Name: "a\u202eb"}, keys.ErrRefused},
		"a name not in UTF-8":      {manage.NewProject{ASPID: keystest.Bob, Name: "a\xff"}, keys.ErrRefused},
		"a long name":              {manage.NewProject{ASPID: keystest.Bob, Name: strings.Repeat("x", 201)}, keys.ErrRefused},
	} {
		o := keystest.HandOffice(t, keystest.RecordFor(keystest.Alice))
		before := o.Load(t).Revision
		issued, err := o.CreateProject(t.Context(), keystest.Operator, c.n)
		if !errors.Is(err, c.want) || issued != (manage.Issued{}) {
			t.Errorf("%s: got %v", name, err)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\x1b\x00\n\x7f\u2028\u202e") {
			t.Errorf("%s: the error repeats it: %q", name, err)
		}
		if now := o.Load(t).Revision; now != before {
			t.Errorf("%s: revision %d became %d", name, before, now)
		}
	}
}

func TestAccessKeyKnownInASuspendedProject(t *testing.T) {
	h := keystest.RecordFor(keystest.Alice)
	h.State = "suspended"
	o := keystest.HandOffice(t, h)
	if _, err := o.CreateProject(t.Context(), keystest.Operator, manage.NewProject{ASPID: keystest.Bob, AccessKey: keystest.AccessKey(keystest.Alice)}); !errors.Is(err, keys.ErrExists) {
		t.Errorf("got %v", err)
	}
}

func TestSuspendAndResume(t *testing.T) {
	o := keystest.NewOffice(t)
	issued := o.AddProject(t, keystest.Alice)
	o.AddProject(t, keystest.Bob)
	suspended := func() bool {
		m, _ := keystest.Must(ring.New(o.Load(t), keystest.MasterKey(1), nil)).ByAccessKey(issued.AccessKey, keystest.Morning)
		if shown := keystest.Must(o.Project(t.Context(), keystest.Alice)).Suspended; shown != m.Suspended() {
			t.Errorf("shown as suspended: %t, in the ring: %t", shown, m.Suspended())
		}
		return m.Suspended()
	}
	for range 2 {
		p, err := o.SuspendProject(t.Context(), keystest.Operator, keystest.Alice)
		if err != nil || !p.Suspended || !suspended() || !reflect.DeepEqual(p, keystest.Must(o.Project(t.Context(), keystest.Alice))) {
			t.Errorf("suspend: %+v, %v", p, err)
		}
		before := o.Load(t).Revision
		if _, err := o.SuspendProject(t.Context(), keystest.Operator, keystest.Alice); !errors.Is(err, keys.ErrRefused) || o.Load(t).Revision != before {
			t.Errorf("suspend again: %v", err)
		}
		if p, err := o.ResumeProject(t.Context(), keystest.Operator, keystest.Alice); err != nil || p.Suspended || suspended() {
			t.Errorf("resume: %+v, %v", p, err)
		}
		before = o.Load(t).Revision
		if _, err := o.ResumeProject(t.Context(), keystest.Operator, keystest.Alice); !errors.Is(err, keys.ErrRefused) || o.Load(t).Revision != before {
			t.Errorf("resume again: %v", err)
		}
	}
	if p := keystest.Must(o.Project(t.Context(), keystest.Bob)); p.Suspended {
		t.Error("another project was suspended")
	}
}

func TestUnknownProject(t *testing.T) {
	o := keystest.HandOffice(t, keystest.RecordFor(keystest.Alice))
	before := o.Load(t).Revision
	for _, id := range []keys.ASPID{keystest.Bob, "", "ALICE0000000001", "seal", "../seal"} {
		_, suspendErr := o.SuspendProject(t.Context(), keystest.Operator, id)
		_, resumeErr := o.ResumeProject(t.Context(), keystest.Operator, id)
		_, showErr := o.Project(t.Context(), id)
		for _, err := range []error{suspendErr, resumeErr, showErr} {
			if !errors.Is(err, keys.ErrNotFound) {
				t.Errorf("%q: got %v", id, err)
			}
		}
	}
	if now := o.Load(t).Revision; now != before {
		t.Errorf("revision %d became %d", before, now)
	}
}

func TestProjectsAreListedByID(t *testing.T) {
	o := keystest.NewOffice(t)
	if all, err := o.Projects(t.Context()); err != nil || len(all) != 0 {
		t.Fatalf("an empty store: %d projects, %v", len(all), err)
	}
	want := []keys.ASPID{"0Project0000001", "AProject0000001", "ZProject0000001", "aProject0000001", "zProject0000001"}
	for _, i := range []int{3, 0, 4, 2, 1} {
		o.AddProject(t, want[i])
	}
	var got []keys.ASPID
	for _, p := range keystest.Must(o.Projects(t.Context())) {
		got = append(got, p.ASPID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
