package ring_test

import (
	"crypto/rsa"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"kmproxy/keys/ring"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
	"kmproxy/keys/keystest"
)

// TestKeyBelongsToItsProject: a key id of another project is as unknown as one
// that nobody has.
func TestKeyBelongsToItsProject(t *testing.T) {
	r := ringOf(t, nil, keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(0, "active"), keystest.KeyInRecord(1, "draining")), keystest.RecordFor(keystest.Bob, keystest.KeyInRecord(2, "active")))
	owners := []keys.ASPID{keystest.Alice, keystest.Alice, keystest.Bob}
	for number, owner := range owners {
		for _, asker := range []keys.ASPID{keystest.Alice, keystest.Bob} {
			for _, id := range []keys.KeyID{keystest.KeyID(number), keys.KeyID(strings.ToUpper(string(keystest.KeyID(number))))} {
				key, ok := member(t, r, asker).Key(id)
				if ok != (owner == asker) || ok && key.ID() != keystest.KeyID(number) {
					t.Errorf("%s asks for key %s of %s: found is %t", asker, id, owner, ok)
				}
			}
		}
	}
	for _, id := range []keys.KeyID{keystest.KeyID(3), "", "nonsense"} {
		if _, ok := member(t, r, keystest.Alice).Key(id); ok {
			t.Errorf("found key %q", id)
		}
	}
}

func TestRingShowsEveryState(t *testing.T) {
	h := keystest.RecordFor(keystest.Alice)
	for number, s := range keystest.States {
		k := keystest.KeyInRecord(number, s.String())
		k.Since = keystest.Recorded.Add(time.Duration(number) * time.Hour)
		h.Keys = append(h.Keys, k)
	}
	r := ringOf(t, nil, h)
	m := member(t, r, keystest.Alice)
	for number, s := range keystest.States {
		key, ok := m.Key(keystest.KeyID(number))
		if !ok || key.At(keystest.Recorded).State != s || !key.At(keystest.Recorded).Since.Equal(keystest.Recorded.Add(time.Duration(number)*time.Hour)) {
			t.Errorf("a key that is %s is shown as %s since %s", s, key.At(keystest.Recorded).State, key.At(keystest.Recorded).Since)
		}
	}
	if active, ok := m.Active(); !ok || active.ID() != keystest.KeyID(1) {
		t.Error("the active key is not found")
	}
	if r.Projects() != 1 || r.Revision() != 9 || m.Suspended() {
		t.Errorf("%d projects at revision %d", r.Projects(), r.Revision())
	}
}

func TestNoActiveKey(t *testing.T) {
	for _, s := range keystest.States {
		key, ok := member(t, ringOf(t, nil, keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(0, s.String()))), keystest.Alice).Active()
		if ok != (s == keys.Active) || ok != (key != nil) {
			t.Errorf("of a key that is %s: %t", s, ok)
		}
	}
}

func TestSuspendedProjectIsFound(t *testing.T) {
	h := keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(0, "active"))
	h.State = "suspended"
	if m := member(t, ringOf(t, nil, h), keystest.Alice); !m.Suspended() {
		t.Error("it is not suspended")
	}
}

func TestAccessKeysExpire(t *testing.T) {
	h := keystest.RecordFor(keystest.Alice)
	end := keystest.Recorded.Add(24 * time.Hour)
	h.Credentials = append(h.Credentials, keystest.RecordCredential{AccessKey: keystest.AccessKey(keystest.Bob), CreatedAt: keystest.Recorded, ExpiresAt: &end})
	r := ringOf(t, nil, h)
	for at, want := range map[time.Time]bool{
		keystest.Recorded: true, end.Add(-time.Nanosecond): true, end: false, end.Add(time.Nanosecond): false, end.AddDate(10, 0, 0): false,
		end.In(time.FixedZone("KST", 9*60*60)): false,
	} {
		if m, ok := r.ByAccessKey(keystest.AccessKey(keystest.Bob), at); ok != want || ok != (m != nil) {
			t.Errorf("at %s: found is %t", at, ok)
		}
		if _, ok := r.ByAccessKey(keystest.AccessKey(keystest.Alice), at); !ok {
			t.Errorf("at %s: the one that never expires is not found", at)
		}
	}
	both := member(t, r, keystest.Alice)
	if other, _ := r.ByAccessKey(keystest.AccessKey(keystest.Bob), keystest.Recorded); other != both {
		t.Error("two access keys of a project lead to two members")
	}
	for _, access := range []keys.AccessKey{keystest.AccessKey(keystest.Alice), keystest.AccessKey(keystest.Bob)} {
		if s, err := both.Secret(access); err != nil || !s.Equal([]byte("secret of "+access)) {
			t.Errorf("%s: another secret, or %v", access, err)
		}
	}
}

func TestUnknownAccessKey(t *testing.T) {
	r := ringOf(t, nil, keystest.RecordFor(keystest.Alice))
	for _, access := range []keys.AccessKey{"", keystest.AccessKey(keystest.Bob), keys.AccessKey(strings.ToUpper(string(keystest.AccessKey(keystest.Alice))))} {
		if m, ok := r.ByAccessKey(access, keystest.Recorded); ok || m != nil {
			t.Errorf("%q is found", access)
		}
		if s, err := member(t, r, keystest.Alice).Secret(access); !errors.Is(err, keys.ErrNotFound) || s.Len() != 0 {
			t.Errorf("%q has a secret, or %v", access, err)
		}
	}
}

// TestFirstUseByMany: keys and secrets are opened at their first use, once.
func TestFirstUseByMany(t *testing.T) {
	m := member(t, ringOf(t, nil, keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(0, "active"), keystest.KeyInRecord(1, "draining"))), keystest.Alice)
	var wg sync.WaitGroup
	opened := make([][2]*rsa.PrivateKey, 16)
	secrets := make([]sensitive.Bytes, len(opened))
	for i := range opened {
		wg.Go(func() {
			for number := range 2 {
				key, _ := m.Key(keystest.KeyID(number))
				private, err := key.Server()
				client, clientErr := key.Client()
				secret, secretErr := m.Secret(keystest.AccessKey(keystest.Alice))
				if err != nil || clientErr != nil || secretErr != nil || !client.RSA().Equal(keystest.ClientKey()) || secret.Len() == 0 {
					t.Errorf("got %v, %v, %v", err, clientErr, secretErr)
					return
				}
				secrets[i] = secret
				opened[i][number] = private.Decrypter().(*rsa.PrivateKey)
			}
		})
	}
	wg.Wait()
	for i, o := range opened {
		if secrets[i] != secrets[0] {
			t.Error("the secrets were opened twice")
		}
		for number := range 2 {
			if o[number] != opened[0][number] || !o[number].Equal(keystest.ServerKey(number)) {
				t.Errorf("key %d was opened twice, or is another", number)
			}
		}
	}
}

// TestKeysKeepToTheirAlgorithms: what a record allows is what its keys can do.
func TestKeysKeepToTheirAlgorithms(t *testing.T) {
	h := keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(0, "active"))
	h.Keys[0].Algs, h.Keys[0].Encs = []string{"RSA-OAEP-256"}, []string{"A256GCM"}
	key, _ := member(t, ringOf(t, nil, h), keystest.Alice).Active()
	private, client := keystest.Must(key.Server()), keystest.Must(key.Client())
	for suite, want := range map[string]bool{
		"RSA-OAEP-256+A256GCM": true, "RSA-OAEP-256+A128GCM": false, "RSA-OAEP+A256GCM": false, "RSA-OAEP+A128GCM": false,
	} {
		s := suiteOf(t, suite)
		if private.Allows(s) != want || client.Allows(s) != want {
			t.Errorf("%s: the server's half allows it: %t, the client's: %t", suite, private.Allows(s), client.Allows(s))
		}
	}
}

func suiteOf(t *testing.T, name string) alg.Suite {
	t.Helper()
	key, enc, _ := strings.Cut(name, "+")
	return alg.Suite{Key: keystest.Must(alg.ParseKey(key)), Enc: keystest.Must(alg.ParseEnc(enc))}
}

// TestBadHalves: a record of ours whose halves are no keys, as only a defect or
// another program with the master key could write it.
func TestBadHalves(t *testing.T) {
	h := keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(0, "active"))
	h.Keys[0].Client = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
	hidden := keystest.RecordSecrets{SecretKeys: map[keys.AccessKey][]byte{}, PrivateKeys: map[keys.KeyID][]byte{keystest.KeyID(0): []byte("no DER")}}
	record := keystest.SealedRecord(h.RecordName(), 1, keystest.AsJSON(h), keystest.AsJSON(hidden))
	m := member(t, keystest.Must(ring.New(keystest.Snapshot(map[string][]byte{h.RecordName(): record}), keystest.MasterKey(1), nil)), keystest.Alice)
	key, _ := m.Active()
	for range 2 {
		if _, err := key.Server(); err == nil || !strings.Contains(err.Error(), string(keystest.KeyID(0))) {
			t.Errorf("server: got %v", err)
		}
		if _, err := key.Client(); err == nil || !strings.Contains(err.Error(), string(keystest.KeyID(0))) {
			t.Errorf("client: got %v", err)
		}
	}
	if _, err := m.Secret(keystest.AccessKey(keystest.Alice)); !errors.Is(err, keys.ErrNotFound) {
		t.Errorf("secret: got %v", err)
	}
}
