package keys_test

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwk"
	"kmproxy/keys"
)

// adders are the two acts that add a key; their rules are the same.
func adders(o office) map[string]func(keys.NewKey) (keys.Key, error) {
	return map[string]func(keys.NewKey) (keys.Key, error){
		"create": func(n keys.NewKey) (keys.Key, error) { return o.CreateKey(bg, operator, n) },
		"import": func(n keys.NewKey) (keys.Key, error) { return o.ImportKey(bg, operator, n) },
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
		h := hand(alice)
		if c.there != none {
			h.Keys = []handKey{handKeyOf(1, c.there.String())}
		}
		for name := range adders(office{}) {
			o := handOffice(t, h)
			before := o.load(t).Revision
			key, err := adders(o)[name](newKey(alice, 0, c.wanted))
			if !errors.Is(err, c.err) || key.State != c.got {
				t.Errorf("%s as %s beside %s: got %s, %v", name, c.wanted, c.there, key.State, err)
			}
			if err != nil && o.load(t).Revision != before {
				t.Errorf("%s as %s beside %s: refused, but written", name, c.wanted, c.there)
			}
		}
	}
}

func TestCreatedKey(t *testing.T) {
	o := newOffice(t)
	o.addProject(t, alice)
	for number, add := range []string{"create", "import"} {
		key, err := adders(o)[add](newKey(alice, number, 0))
		if err != nil {
			t.Fatal(err)
		}
		if key.ID != keyID(number) || key.ASPID != alice || key.CreatedAt != recorded || key.Since != recorded || key.Allowed != alg.All() {
			t.Errorf("%s: got %+v", add, key)
		}
		if server := must(key.Server()); !server.RSA().Equal(&serverKey(number).PublicKey) || key.ServerPEM != serverPEM(number) {
			t.Errorf("%s: another server key", add)
		}
		if client := must(key.Client()); !client.RSA().Equal(clientKey()) {
			t.Errorf("%s: another client key", add)
		}
		if shown := must(o.Key(t.Context(), key.ID)); !reflect.DeepEqual(shown, key) {
			t.Errorf("%s: shown as %+v, was %+v", add, shown, key)
		}
		m, _ := must(keys.NewRing(o.load(t), masterKey(1), nil)).ByAccessKey(must(o.Project(t.Context(), alice)).Credentials[0].AccessKey, morning)
		in, ok := m.Key(key.ID)
		if !ok {
			t.Fatalf("%s: it is not in the ring", add)
		}
		if private := must(in.Server()).Decrypter().(*rsa.PrivateKey); !private.Equal(serverKey(number)) {
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
		h := hand(alice)
		for i, state := range strings.Fields(c.there) {
			h.Keys = append(h.Keys, handKeyOf(1+i, state))
		}
		store := handOffice(t, h).store
		cfg := config(store)
		cfg.MaxPerProject = c.limit
		o := office{must(keys.NewManager(t.Context(), cfg)), store}
		before := o.load(t).Revision
		_, err := o.CreateKey(t.Context(), operator, newKey(alice, 0, keys.Staged))
		if !errors.Is(err, c.err) || err != nil && o.load(t).Revision != before {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestKeyIsKnown: ids and server pairs never come back, in no project, no state
// and no spelling.
func TestKeyIsKnown(t *testing.T) {
	upper := func(n keys.NewKey) keys.NewKey {
		n.ID = keys.KeyID(strings.ToUpper(string(n.ID)))
		return n
	}
	fresh := func(to keys.ASPID) keys.NewKey { return newKey(to, 1, 0) }
	as := func(n keys.NewKey, number int) keys.NewKey { n.ID = keyID(number); return n }
	for name, n := range map[string]keys.NewKey{
		"the id":                                as(fresh(alice), 0),
		"the id, in another project":            as(fresh(bob), 0),
		"the id in upper case":                  upper(as(fresh(alice), 0)),
		"the id in upper case, another project": upper(as(fresh(bob), 0)),
		"the server pair":                       as(newKey(alice, 0, 0), 7),
		"the server pair, in another project":   as(newKey(bob, 0, 0), 7),
		"both":                                  newKey(bob, 0, 0),
	} {
		for _, state := range states {
			o := handOffice(t, hand(alice, handKeyOf(0, state.String())), hand(bob))
			before := o.load(t).Revision
			for add, try := range adders(o) {
				if key, err := try(n); !errors.Is(err, keys.ErrExists) || key != (keys.Key{}) || o.load(t).Revision != before {
					t.Errorf("%s %s of a key that is %s: got %v", add, name, state, err)
				}
			}
		}
	}
}

// TestHalvesOnTheWrongSide: whoever gives a server's key as a client's has taken
// the wrong file; answers would be encrypted to this side.
func TestHalvesOnTheWrongSide(t *testing.T) {
	otherExponent := &rsa.PublicKey{N: serverKey(0).N, E: 65539}
	theirs := newKey(alice, 0, 0)
	theirs.Server = rsaKeys()[0] // the pair of the client that is known
	for name, n := range map[string]keys.NewKey{
		"its own server key":                     {ID: keyID(7), ASPID: alice, Server: serverKey(0), Client: &serverKey(0).PublicKey},
		"its own modulus, another exponent":      {ID: keyID(7), ASPID: alice, Server: serverKey(0), Client: otherExponent},
		"another key's server half as client":    {ID: keyID(7), ASPID: alice, Server: serverKey(0), Client: &serverKey(1).PublicKey},
		"a discarded key's server half":          {ID: keyID(7), ASPID: bob, Server: serverKey(0), Client: &serverKey(2).PublicKey},
		"a client's pair on the server's side":   {ID: keyID(7), ASPID: alice, Server: theirs.Server, Client: &serverKey(4).PublicKey},
		"the same in a project of somebody else": {ID: keyID(7), ASPID: bob, Server: theirs.Server, Client: &serverKey(4).PublicKey},
	} {
		o := handOffice(t, hand(alice, handKeyOf(1, "active"), handKeyOf(2, "discarded")), hand(bob))
		before := o.load(t).Revision
		for add, try := range adders(o) {
			if _, err := try(n); !errors.Is(err, keys.ErrRefused) || o.load(t).Revision != before {
				t.Errorf("%s, %s: got %v", add, name, err)
			}
		}
	}
}

// TestClientKeyMayStay: a rotation of the server's half alone.
func TestClientKeyMayStay(t *testing.T) {
	o := newOffice(t)
	o.addProject(t, alice)
	first, second := o.addKey(t, alice, 0, 0), o.addKey(t, alice, 1, 0)
	if first.ClientPEM != second.ClientPEM || first.ServerPEM == second.ServerPEM {
		t.Error("not the same client key under two server keys")
	}
}

func TestUnsuitableKeys(t *testing.T) {
	small := must(rsa.GenerateKey(rand.Reader, 1024))
	large := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 4096, 1), E: 65537}
	low := &rsa.PublicKey{N: serverKey(1).N, E: 3}
	even := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 65537}
	halves := *serverKey(0)
	halves.PublicKey = serverKey(1).PublicKey
	good, client := serverKey(0), clientKey()
	for name, n := range map[string]keys.NewKey{
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
		o := handOffice(t, hand(alice))
		before := o.load(t).Revision
		n.ID, n.ASPID = keyID(0), alice
		for add, try := range adders(o) {
			if key, err := try(n); !errors.Is(err, jwk.ErrKey) || key != (keys.Key{}) || o.load(t).Revision != before {
				t.Errorf("%s, %s: got %v", add, name, err)
			}
		}
	}
}

func TestKeyOfNoProject(t *testing.T) {
	o := handOffice(t, hand(alice))
	before := o.load(t).Revision
	for add, try := range adders(o) {
		if _, err := try(newKey(bob, 0, 0)); !errors.Is(err, keys.ErrNotFound) || o.load(t).Revision != before {
			t.Errorf("%s: got %v", add, err)
		}
	}
}

func TestMalformedKeyID(t *testing.T) {
	o := handOffice(t, hand(alice))
	before := o.load(t).Revision
	for _, id := range []keys.KeyID{"", "short", keys.KeyID(strings.Repeat("g", 32)), keys.KeyID(strings.Repeat("a", 33)), "../../../../../etc/cron.d/backdoor"} {
		n := newKey(alice, 0, 0)
		n.ID = id
		for add, try := range adders(o) {
			if _, err := try(n); !errors.Is(err, keys.ErrID) || o.load(t).Revision != before {
				t.Errorf("%s %q: got %v", add, id, err)
			}
		}
	}
}

func TestShowKey(t *testing.T) {
	o := handOffice(t, hand(alice, handKeyOf(0, "discarded"), handKeyOf(1, "active")), hand(bob, handKeyOf(2, "staged")))
	for number, owner := range []keys.ASPID{alice, alice, bob} {
		for _, id := range []keys.KeyID{keyID(number), keys.KeyID(strings.ToUpper(string(keyID(number))))} {
			if key, err := o.Key(t.Context(), id); err != nil || key.ASPID != owner || key.ID != keyID(number) {
				t.Errorf("%s: got %+v, %v", id, key, err)
			}
		}
	}
	for _, id := range []keys.KeyID{keyID(3), "", "nonsense"} {
		if _, err := o.Key(t.Context(), id); !errors.Is(err, keys.ErrNotFound) {
			t.Errorf("%q: got %v", id, err)
		}
	}
}

func TestListKeys(t *testing.T) {
	o := handOffice(t, hand(bob, handKeyOf(2, "staged")), hand(alice, handKeyOf(1, "discarded"), handKeyOf(0, "active")))
	for of, want := range map[keys.ASPID][]keys.KeyID{
		"": {keyID(1), keyID(0), keyID(2)}, alice: {keyID(1), keyID(0)}, bob: {keyID(2)},
	} {
		var got []keys.KeyID
		for _, k := range must(o.Keys(t.Context(), of)) {
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
