package cek_test

import (
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"testing"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwe"
	"kmproxy/crypto/jwk"
	"kmproxy/keys"
	"kmproxy/proxy/cek"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// generous are limits that no test comes near.
var generous = cek.Limits{Entries: 1000, MaxAge: time.Hour, MaxMessages: 1 << 30, MaxBytes: 1 << 30}

// sender seals under one content key, to the key that all of them share.
type sender struct {
	sealer *jwe.Sealer
	key    jwe.ContentKey // as it was opened
}

var private = sync.OnceValue(func() jwk.Private {
	rsaKey, err := jwk.Generate(2048)
	if err != nil {
		panic(err)
	}
	key, err := jwk.NewPrivate(rsaKey, alg.All())
	if err != nil {
		panic(err)
	}
	return key
})

func newSender(t *testing.T) *sender {
	t.Helper()
	sealer, err := jwe.NewSealer(private().Public(), alg.Preferred())
	if err != nil {
		t.Fatal(err)
	}
	s := &sender{sealer: sealer}
	s.key = s.open(t)
	return s
}

// open opens a message with the private key, as the first of a content key is.
func (s *sender) open(t *testing.T) jwe.ContentKey {
	t.Helper()
	_, key, err := jwe.OpenKeeping(private(), s.message(t, 10))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (s *sender) message(t *testing.T, bytes int) jwe.Message {
	t.Helper()
	token, err := s.sealer.Seal(nil, make([]byte, bytes))
	if err != nil {
		t.Fatal(err)
	}
	m, err := jwe.Parse(token)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// wiped reports whether the content key that was handed over is overwritten.
func (s *sender) wiped(t *testing.T) bool {
	_, err := s.key.Open(s.message(t, 10))
	return err != nil
}

func owner(project, key int) cek.Owner {
	return cek.Owner{Project: keys.ASPID(fmt.Sprintf("%015d", project)), Key: keys.KeyID(fmt.Sprintf("%032d", key))}
}

func opens(t *testing.T, c *cek.Cache, o cek.Owner, m jwe.Message, now time.Time) bool {
	t.Helper()
	plain, known, err := c.Open(o, m, now)
	if known && (err != nil || len(plain.Bytes()) != m.CiphertextBytes()) {
		t.Errorf("known, but %v", err)
	}
	return known
}

// TestOwners: a content key opens for the project and the key that it came by, and
// for no other, even with the same message.
func TestOwners(t *testing.T) {
	c, s := cek.New(generous), newSender(t)
	c.Remember(owner(1, 1), s.key, s.message(t, 10), start)
	for o, want := range map[cek.Owner]bool{owner(1, 1): true, owner(1, 2): false, owner(2, 1): false, {}: false} {
		if got := opens(t, c, o, s.message(t, 10), start); got != want {
			t.Errorf("%v: opened: %t", o, got)
		}
	}
	if opens(t, c, owner(1, 1), newSender(t).message(t, 10), start) {
		t.Error("a message under another content key opened")
	}
	if c.Held() != 1 || c.Hits() != 1 {
		t.Errorf("%d held, %d hits", c.Held(), c.Hits())
	}
}

// TestForgedUnderKnownKey: what carries a known encrypted key and is not authentic
// fails, and does not make the content key go.
func TestForgedUnderKnownKey(t *testing.T) {
	c, s := cek.New(generous), newSender(t)
	c.Remember(owner(1, 1), s.key, s.message(t, 10), start)
	token, err := s.sealer.Seal(nil, []byte("content"))
	if err != nil {
		t.Fatal(err)
	}
	if letter := &token[len(token)-10]; *letter == 'A' {
		*letter = 'B'
	} else {
		*letter = 'A'
	}
	forged, err := jwe.Parse(token)
	if err != nil {
		t.Fatal(err)
	}
	if _, known, err := c.Open(owner(1, 1), forged, start); !known || !errors.Is(err, jwe.ErrOpen) {
		t.Errorf("known %t, %v", known, err)
	}
	if !opens(t, c, owner(1, 1), s.message(t, 10), start) {
		t.Error("the content key is gone")
	}
}

// TestLimits: at its limit a content key still opens, and behind it it is overwritten.
func TestLimits(t *testing.T) {
	const first, each = 10, 100 // bytes
	for name, tt := range map[string]struct {
		edit  func(*cek.Limits)
		opens int // messages, one a minute, behind the one that brought the key
	}{
		"age":                {func(l *cek.Limits) { l.MaxAge = 5 * time.Minute }, 4},
		"messages":           {func(l *cek.Limits) { l.MaxMessages = 8 }, 7},
		"bytes":              {func(l *cek.Limits) { l.MaxBytes = first + 3*each }, 3},
		"bytes, one less":    {func(l *cek.Limits) { l.MaxBytes = first + 3*each - 1 }, 2},
		"the first too many": {func(l *cek.Limits) { l.MaxBytes = first - 1 }, 0},
		"messages, one":      {func(l *cek.Limits) { l.MaxMessages = 1 }, 0},
	} {
		limits := generous
		tt.edit(&limits)
		c, s := cek.New(limits), newSender(t)
		c.Remember(owner(1, 1), s.key, s.message(t, first), start)
		got := 0
		for opens(t, c, owner(1, 1), s.message(t, each), start.Add(time.Duration(got+1)*time.Minute)) {
			got++
		}
		if got != tt.opens || c.Held() != 0 || !s.wiped(t) {
			t.Errorf("%s: %d opened, %d held, wiped: %t", name, got, c.Held(), s.wiped(t))
		}
	}
}

// TestClockGoesBack: a content key from the future is too old as well.
func TestClockGoesBack(t *testing.T) {
	c, s := cek.New(generous), newSender(t)
	c.Remember(owner(1, 1), s.key, s.message(t, 10), start)
	if opens(t, c, owner(1, 1), s.message(t, 10), start.Add(-time.Second)) || !s.wiped(t) {
		t.Error("it is still there")
	}
	before, s := newSender(t), newSender(t)
	c.Remember(owner(1, 1), before.key, before.message(t, 10), start.Add(-time.Minute))
	c.Remember(owner(1, 1), s.key, s.message(t, 10), start)
	c.Sweep(start.Add(-time.Second), func(cek.Owner) bool { return true })
	if !s.wiped(t) || before.wiped(t) {
		t.Error("it is not swept, or more than it")
	}
}

// TestEviction: who was used longest ago makes room, in a project that has its half,
// and among all.
func TestEviction(t *testing.T) {
	limits := generous
	limits.Entries = 4
	c := cek.New(limits)
	remember := func(project int) *sender {
		s := newSender(t)
		c.Remember(owner(project, 1), s.key, s.message(t, 10), start)
		return s
	}
	a, b := remember(1), remember(1)
	opens(t, c, owner(1, 1), a.message(t, 10), start) // now b is the older
	d := remember(1)
	if a.wiped(t) || !b.wiped(t) || d.wiped(t) || c.Held() != 2 {
		t.Error("the half of a project: the wrong key was removed")
	}
	e, f := remember(2), remember(2)
	g := remember(3)
	if !a.wiped(t) || d.wiped(t) || e.wiped(t) || f.wiped(t) || g.wiped(t) || c.Held() != 4 {
		t.Error("all: the wrong key was removed")
	}
}

// TestTwiceAtOnce: two messages under one new content key may both be opened with the
// private key; one of the two copies stays.
func TestTwiceAtOnce(t *testing.T) {
	c, s := cek.New(generous), newSender(t)
	again := s.open(t)
	c.Remember(owner(1, 1), s.key, s.message(t, 10), start)
	c.Remember(owner(1, 1), again, s.message(t, 10), start)
	if _, err := again.Open(s.message(t, 10)); err == nil || s.wiped(t) || c.Held() != 1 {
		t.Errorf("%d held, %v", c.Held(), err)
	}
}

// TestSweep: what is too old, or of a key that is not usable any more, is overwritten
// without being asked for.
func TestSweep(t *testing.T) {
	c := cek.New(generous)
	senders := map[cek.Owner]*sender{}
	for i, o := range []cek.Owner{owner(1, 1), owner(1, 2), owner(2, 1)} {
		senders[o] = newSender(t)
		c.Remember(o, senders[o].key, senders[o].message(t, 10), start.Add(time.Duration(i)*time.Minute))
	}
	c.Sweep(start.Add(2*time.Minute), func(o cek.Owner) bool { return o != owner(1, 2) })
	for o, s := range senders {
		if s.wiped(t) != (o == owner(1, 2)) {
			t.Errorf("%v: wiped: %t", o, s.wiped(t))
		}
	}
	c.Sweep(start.Add(time.Hour), func(cek.Owner) bool { return true })
	if !senders[owner(1, 1)].wiped(t) || senders[owner(2, 1)].wiped(t) || c.Held() != 1 {
		t.Errorf("%d held", c.Held())
	}
}

// TestClose: everything is overwritten, and what comes later.
func TestClose(t *testing.T) {
	c, s, late := cek.New(generous), newSender(t), newSender(t)
	c.Remember(owner(1, 1), s.key, s.message(t, 10), start)
	c.Close()
	c.Remember(owner(1, 1), late.key, late.message(t, 10), start)
	if !s.wiped(t) || !late.wiped(t) || c.Held() != 0 {
		t.Errorf("%d held", c.Held())
	}
}

func TestNoCache(t *testing.T) {
	var c *cek.Cache
	if c.Held() != 0 || c.Hits() != 0 || opens(t, c, owner(1, 1), newSender(t).message(t, 1), start) {
		t.Error("no cache holds something")
	}
}

// TestModel holds the Cache to a list that is searched from its beginning.
func TestModel(t *testing.T) {
	limits := cek.Limits{Entries: 6, MaxAge: 20 * time.Second, MaxMessages: 6, MaxBytes: 300}
	c, now := cek.New(limits), start
	senders := make([]*sender, 12)
	for i := range senders {
		senders[i] = newSender(t)
	}
	type known struct {
		o               cek.Owner
		sender          int
		since           time.Time
		messages, bytes int64
	}
	var list []known // who was used last comes last
	random := mathrand.New(mathrand.NewPCG(1, 2))
	drop := func(i int) { list = append(list[:i:i], list[i+1:]...) }
	find := func(o cek.Owner, sender int) int {
		for i, k := range list {
			if k.o == o && k.sender == sender {
				return i
			}
		}
		return -1
	}
	hits := 0
	for range 5000 {
		now = now.Add(time.Duration(random.IntN(2000)) * time.Millisecond)
		o, n, size := owner(random.IntN(3), random.IntN(2)), random.IntN(len(senders)), 1+random.IntN(100)
		m := senders[n].message(t, size)
		want := false
		if i := find(o, n); i >= 0 {
			k := list[i]
			k.messages, k.bytes = k.messages+1, k.bytes+int64(size)
			drop(i)
			if want = now.Sub(k.since) < limits.MaxAge && k.messages <= limits.MaxMessages && k.bytes <= limits.MaxBytes; want {
				list = append(list, k)
				hits++
			}
		}
		if got := opens(t, c, o, m, now); got != want {
			t.Fatalf("opened %t, want %t", got, want)
		}
		if !want {
			c.Remember(o, senders[n].key.Clone(), m, now)
			mine := 0
			for _, k := range list {
				if k.o.Project == o.Project {
					mine++
				}
			}
			for i := 0; mine >= limits.Entries/2; i++ {
				if list[i].o.Project == o.Project {
					drop(i)
					break
				}
			}
			if len(list) >= limits.Entries {
				drop(0)
			}
			list = append(list, known{o, n, now, 1, int64(size)})
		}
		if c.Held() != len(list) {
			t.Fatalf("%d held, want %d", c.Held(), len(list))
		}
	}
	if int(c.Hits()) != hits || hits < 300 {
		t.Errorf("%d hits, want %d", c.Hits(), hits)
	}
}

// TestAtOnce: content keys come, open and go at once. None is ever used half wiped:
// who is known opens.
func TestAtOnce(t *testing.T) {
	limits := generous
	limits.Entries = 4
	c := cek.New(limits)
	senders := []*sender{newSender(t), newSender(t), newSender(t), newSender(t)}
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range 500 {
				s, o := senders[(worker+i)%len(senders)], owner(i%2, 1)
				m := s.message(t, 10)
				if _, known, err := c.Open(o, m, start); err != nil {
					t.Error(err)
				} else if !known {
					c.Remember(o, s.key.Clone(), m, start)
				}
				if i%50 == 0 {
					c.Sweep(start, func(o cek.Owner) bool { return o == owner(0, 1) })
				}
			}
		})
	}
	all.Wait()
	if c.Hits() == 0 {
		t.Error("no content key was known")
	}
	c.Close()
}
