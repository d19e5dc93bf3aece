package manage_test

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"kmproxy/keys/ring"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwk"
	"kmproxy/keys"
	"kmproxy/keys/keystest"
	"kmproxy/keys/manage"
)

// adders are the two acts that add a key; their rules are the same.
func adders(o keystest.Office) map[string]func(manage.NewKey) (keys.Key, error) {
	return map[string]func(manage.NewKey) (keys.Key, error){
		"create": func(n manage.NewKey) (keys.Key, error) { return o.CreateKey(keystest.Background, keystest.Operator, n) },
		"import": func(n manage.NewKey) (keys.Key, error) { return o.ImportKey(keystest.Background, keystest.Operator, n) },
	}
}

// TestFirstState is the state a key comes into, by what is there and what is wanted.
func TestFirstState(t *testing.T) {
	const none = keys.State(0)
	for _, c := range []struct {
		there, wanted, got keys.State
		err                error
	}{
		{none, none, keys.Active, nil},
		{none, keys.Staged, keys.Staged, nil},
		{none, keys.Active, keys.Active, nil},
		{none, keys.Draining, keys.Draining, nil},
		{none, keys.Suspended, keys.Suspended, nil},
		{none, keys.Discarded, none, keys.ErrRefused},
		{none, 6, none, keys.ErrRefused},
		{none, 255, none, keys.ErrRefused},
		{keys.Active, none, keys.Staged, nil},
		{keys.Active, keys.Active, none, keys.ErrRefused},
		{keys.Active, keys.Draining, keys.Draining, nil},
		{keys.Staged, none, keys.Active, nil},
		{keys.Draining, none, keys.Active, nil},
		{keys.Suspended, none, keys.Active, nil},
		{keys.Discarded, none, keys.Active, nil},
		{keys.Discarded, keys.Discarded, none, keys.ErrRefused},
	} {
		h := keystest.RecordFor(keystest.Alice)
		if c.there != none {
			h.Keys = []keystest.RecordKey{keystest.KeyInRecord(1, c.there.String())}
		}
		for name := range adders(keystest.Office{}) {
			o := keystest.HandOffice(t, h)
			before := o.Load(t).Revision
			key, err := adders(o)[name](keystest.NewKey(keystest.Alice, 0, c.wanted))
			if !errors.Is(err, c.err) || key.State != c.got {
				t.Errorf("%s as %s beside %s: got %s, %v", name, c.wanted, c.there, key.State, err)
			}
			if err != nil && o.Load(t).Revision != before {
				t.Errorf("%s as %s beside %s: refused, but written", name, c.wanted, c.there)
			}
		}
	}
}

func TestCreatedKey(t *testing.T) {
	o := keystest.NewOffice(t)
	o.AddProject(t, keystest.Alice)
	for number, add := range []string{"create", "import"} {
		key, err := adders(o)[add](keystest.NewKey(keystest.Alice, number, 0))
		if err != nil {
			t.Fatal(err)
		}
		if key.ID != keystest.KeyID(number) || key.ASPID != keystest.Alice || key.CreatedAt != keystest.Recorded || key.Since != keystest.Recorded || key.Allowed != alg.All() {
			t.Errorf("%s: got %+v", add, key)
		}
		if server := keystest.Must(key.Server()); !server.RSA().Equal(&keystest.ServerKey(number).PublicKey) || key.ServerPEM != keystest.ServerPEM(number) {
			t.Errorf("%s: another server key", add)
		}
		if client := keystest.Must(key.Client()); !client.RSA().Equal(keystest.ClientKey()) {
			t.Errorf("%s: another client key", add)
		}
		if shown := keystest.Must(o.Key(t.Context(), key.ID)); !reflect.DeepEqual(shown, key) {
			t.Errorf("%s: shown as %+v, was %+v", add, shown, key)
		}
		m, _ := keystest.Must(ring.New(o.Load(t), keystest.MasterKey(1), nil)).ByAccessKey(keystest.Must(o.Project(t.Context(), keystest.Alice)).Credentials[0].AccessKey, keystest.Morning)
		in, ok := m.Key(key.ID)
		if !ok {
			t.Fatalf("%s: it is not in the ring", add)
		}
		if private := keystest.Must(in.Server()).Decrypter().(*rsa.PrivateKey); !private.Equal(keystest.ServerKey(number)) {
			t.Errorf("%s: another private half", add)
		}
	}
}

// TestLimit counts all keys that are not discarded, whatever the limit.
func TestLimit(t *testing.T) {
	for name, c := range map[string]struct {
		there string
		limit int
		err   error
	}{
		"none of one":           {"", 1, nil},
		"one of one":            {"staged", 1, keys.ErrLimit},
		"one of two":            {"active", 2, nil},
		"two of two":            {"active staged", 2, keys.ErrLimit},
		"suspended ones":        {"suspended suspended", 2, keys.ErrLimit},
		"draining ones":         {"draining draining", 2, keys.ErrLimit},
		"discarded ones":        {"discarded discarded discarded", 2, nil},
		"discarded and live":    {"discarded active discarded", 2, nil},
		"more than the limit":   {"active staged suspended", 2, keys.ErrLimit},
		"under a higher limit":  {"active staged suspended", 4, nil},
		"at a limit of three":   {"active staged suspended", 3, keys.ErrLimit},
		"full, and one is dead": {"active staged discarded", 2, keys.ErrLimit},
	} {
		h := keystest.RecordFor(keystest.Alice)
		for i, state := range strings.Fields(c.there) {
			h.Keys = append(h.Keys, keystest.KeyInRecord(1+i, state))
		}
		store := keystest.HandOffice(t, h).Store
		cfg := keystest.Config(store)
		cfg.MaxPerProject = c.limit
		o := keystest.Office{Manager: keystest.Must(manage.New(t.Context(), cfg)), Store: store}
		before := o.Load(t).Revision
		_, err := o.CreateKey(t.Context(), keystest.Operator, keystest.NewKey(keystest.Alice, 0, keys.Staged))
		if !errors.Is(err, c.err) || err != nil && o.Load(t).Revision != before {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestKeyIsKnown: ids and server pairs never come back, in no project, no state
// and no spelling.
func TestKeyIsKnown(t *testing.T) {
	upper := func(n manage.NewKey) manage.NewKey {
		n.ID = keys.KeyID(strings.ToUpper(string(n.ID)))
		return n
	}
	fresh := func(to keys.ASPID) manage.NewKey { return keystest.NewKey(to, 1, 0) }
	as := func(n manage.NewKey, number int) manage.NewKey { n.ID = keystest.KeyID(number); return n }
	for name, n := range map[string]manage.NewKey{
		"the id":                                as(fresh(keystest.Alice), 0),
		"the id, in another project":            as(fresh(keystest.Bob), 0),
		"the id in upper case":                  upper(as(fresh(keystest.Alice), 0)),
		"the id in upper case, another project": upper(as(fresh(keystest.Bob), 0)),
		"the server pair":                       as(keystest.NewKey(keystest.Alice, 0, 0), 7),
		"the server pair, in another project":   as(keystest.NewKey(keystest.Bob, 0, 0), 7),
		"both":                                  keystest.NewKey(keystest.Bob, 0, 0),
	} {
		for _, state := range keystest.States {
			o := keystest.HandOffice(t, keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(0, state.String())), keystest.RecordFor(keystest.Bob))
			before := o.Load(t).Revision
			for add, try := range adders(o) {
				if key, err := try(n); !errors.Is(err, keys.ErrExists) || key != (keys.Key{}) || o.Load(t).Revision != before {
					t.Errorf("%s %s of a key that is %s: got %v", add, name, state, err)
				}
			}
		}
	}
}

// TestHalvesOnTheWrongSide: whoever gives a server's key as a client's has taken
// the wrong file; answers would be encrypted to this side.
func TestHalvesOnTheWrongSide(t *testing.T) {
	otherExponent := &rsa.PublicKey{N: keystest.ServerKey(0).N, E: 65539}
	theirs := keystest.NewKey(keystest.Alice, 0, 0)
	theirs.Server = keystest.RsaKeys()[0] // the pair of the client that is known
	for name, n := range map[string]manage.NewKey{
		"its own server key":                     {ID: keystest.KeyID(7), ASPID: keystest.Alice, Server: keystest.ServerKey(0), Client: &keystest.ServerKey(0).PublicKey},
		"its own modulus, another exponent":      {ID: keystest.KeyID(7), ASPID: keystest.Alice, Server: keystest.ServerKey(0), Client: otherExponent},
		"another key's server half as client":    {ID: keystest.KeyID(7), ASPID: keystest.Alice, Server: keystest.ServerKey(0), Client: &keystest.ServerKey(1).PublicKey},
		"a discarded key's server half":          {ID: keystest.KeyID(7), ASPID: keystest.Bob, Server: keystest.ServerKey(0), Client: &keystest.ServerKey(2).PublicKey},
		"a client's pair on the server's side":   {ID: keystest.KeyID(7), ASPID: keystest.Alice, Server: theirs.Server, Client: &keystest.ServerKey(4).PublicKey},
		"the same in a project of somebody else": {ID: keystest.KeyID(7), ASPID: keystest.Bob, Server: theirs.Server, Client: &keystest.ServerKey(4).PublicKey},
	} {
		o := keystest.HandOffice(t, keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(1, "active"), keystest.KeyInRecord(2, "discarded")), keystest.RecordFor(keystest.Bob))
		before := o.Load(t).Revision
		for add, try := range adders(o) {
			if _, err := try(n); !errors.Is(err, keys.ErrRefused) || o.Load(t).Revision != before {
				t.Errorf("%s, %s: got %v", add, name, err)
			}
		}
	}
}

// TestClientKeyMayStay: a rotation of the server's half alone.
func TestClientKeyMayStay(t *testing.T) {
	o := keystest.NewOffice(t)
	o.AddProject(t, keystest.Alice)
	first, second := o.AddKey(t, keystest.Alice, 0, 0), o.AddKey(t, keystest.Alice, 1, 0)
	if first.ClientPEM != second.ClientPEM || first.ServerPEM == second.ServerPEM {
		t.Error("not the same client key under two server keys")
	}
}

func TestUnsuitableKeys(t *testing.T) {
	small := keystest.Must(rsa.GenerateKey(rand.Reader, 1024))
	large := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 4096, 1), E: 65537}
	low := &rsa.PublicKey{N: keystest.ServerKey(1).N, E: 3}
	even := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 65537}
	halves := *keystest.ServerKey(0)
	halves.PublicKey = keystest.ServerKey(1).PublicKey
	good, client := keystest.ServerKey(0), keystest.ClientKey()
	for name, n := range map[string]manage.NewKey{
		"no server key":              {Client: client},
		"no client key":              {Server: good},
		"an empty server key":        {Server: &rsa.PrivateKey{}, Client: client},
		"an empty client key":        {Server: good, Client: &rsa.PublicKey{}},
		"a small server key":         {Server: small, Client: client},
		"a small client key":         {Server: good, Client: &small.PublicKey},
		"a large server key":         {Server: &rsa.PrivateKey{PublicKey: *large, D: good.D, Primes: good.Primes}, Client: client},
		"a large client key":         {Server: good, Client: large},
		"a low exponent":             {Server: good, Client: low},
		"an even modulus":            {Server: good, Client: even},
		"one prime":                  {Server: &rsa.PrivateKey{PublicKey: good.PublicKey, D: good.D, Primes: good.Primes[:1]}, Client: client},
		"halves of two keys":         {Server: &halves, Client: client},
		"a wrong private exponent":   {Server: &rsa.PrivateKey{PublicKey: good.PublicKey, D: big.NewInt(5), Primes: good.Primes}, Client: client},
		"no private exponent at all": {Server: &rsa.PrivateKey{PublicKey: good.PublicKey, Primes: good.Primes}, Client: client},
	} {
		o := keystest.HandOffice(t, keystest.RecordFor(keystest.Alice))
		before := o.Load(t).Revision
		n.ID, n.ASPID = keystest.KeyID(0), keystest.Alice
		for add, try := range adders(o) {
			if key, err := try(n); !errors.Is(err, jwk.ErrKey) || key != (keys.Key{}) || o.Load(t).Revision != before {
				t.Errorf("%s, %s: got %v", add, name, err)
			}
		}
	}
}

func TestKeyOfNoProject(t *testing.T) {
	o := keystest.HandOffice(t, keystest.RecordFor(keystest.Alice))
	before := o.Load(t).Revision
	for add, try := range adders(o) {
		if _, err := try(keystest.NewKey(keystest.Bob, 0, 0)); !errors.Is(err, keys.ErrNotFound) || o.Load(t).Revision != before {
			t.Errorf("%s: got %v", add, err)
		}
	}
}

func TestMalformedKeyID(t *testing.T) {
	o := keystest.HandOffice(t, keystest.RecordFor(keystest.Alice))
	before := o.Load(t).Revision
	for _, id := range []keys.KeyID{"", "short", keys.KeyID(strings.Repeat("g", 32)), keys.KeyID(strings.Repeat("a", 33)), "../../../../../etc/cron.d/backdoor"} {
		n := keystest.NewKey(keystest.Alice, 0, 0)
		n.ID = id
		for add, try := range adders(o) {
			if _, err := try(n); !errors.Is(err, keys.ErrID) || o.Load(t).Revision != before {
				t.Errorf("%s %q: got %v", add, id, err)
			}
		}
	}
}

func TestShowKey(t *testing.T) {
	o := keystest.HandOffice(t, keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(0, "discarded"), keystest.KeyInRecord(1, "active")), keystest.RecordFor(keystest.Bob, keystest.KeyInRecord(2, "staged")))
	for number, owner := range []keys.ASPID{keystest.Alice, keystest.Alice, keystest.Bob} {
		for _, id := range []keys.KeyID{keystest.KeyID(number), keys.KeyID(strings.ToUpper(string(keystest.KeyID(number))))} {
			if key, err := o.Key(t.Context(), id); err != nil || key.ASPID != owner || key.ID != keystest.KeyID(number) {
				t.Errorf("%s: got %+v, %v", id, key, err)
			}
		}
	}
	for _, id := range []keys.KeyID{keystest.KeyID(3), "", "nonsense"} {
		if _, err := o.Key(t.Context(), id); !errors.Is(err, keys.ErrNotFound) {
			t.Errorf("%q: got %v", id, err)
		}
	}
}

func TestListKeys(t *testing.T) {
	o := keystest.HandOffice(t, keystest.RecordFor(keystest.Bob, keystest.KeyInRecord(2, "staged")), keystest.RecordFor(keystest.Alice, keystest.KeyInRecord(1, "discarded"), keystest.KeyInRecord(0, "active")))
	for of, want := range map[keys.ASPID][]keys.KeyID{
		"": {keystest.KeyID(1), keystest.KeyID(0), keystest.KeyID(2)}, keystest.Alice: {keystest.KeyID(1), keystest.KeyID(0)}, keystest.Bob: {keystest.KeyID(2)},
	} {
		var got []keys.KeyID
		for _, k := range keystest.Must(o.Keys(t.Context(), of)) {
			got = append(got, k.ID)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("of %q: got %v, want %v", of, got, want)
		}
	}
	if _, err := o.Keys(t.Context(), "Nobody000000001"); !errors.Is(err, keys.ErrNotFound) {
		t.Errorf("of nobody: got %v", err)
	}
}
