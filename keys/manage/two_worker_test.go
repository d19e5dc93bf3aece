package manage_test

import (
	"bufio"
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"testing"
	"time"

	"kmproxy/crypto/jwk"
	"kmproxy/keys"
	"kmproxy/keys/filestore"
	"kmproxy/keys/keystest"
	"kmproxy/keys/manage"
)

// workerEnv says that this test binary is the second process of TestTwoProcesses:
// it reads orders, one JSON document a line, and writes answers.
const workerEnv = "KEYS_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(workerEnv) == "" {
		os.Exit(m.Run())
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func work() error {
	lines, out := json.NewDecoder(bufio.NewReader(os.Stdin)), json.NewEncoder(os.Stdout)
	d := &desk{}
	if err := lines.Decode(&d.primes); err != nil {
		return err
	}
	for {
		var o order
		if err := lines.Decode(&o); errors.Is(err, io.EOF) {
			return nil // no more orders
		} else if err != nil {
			return err
		}
		if err := out.Encode(d.do(o)); err != nil {
			return err
		}
	}
}

// order is one act on the store in a folder, and the world in which it happens.
type order struct {
	Dir    string
	Now    time.Time
	Used   bool // every key, an hour ago
	Broken bool // no key passes its proof

	Act            string
	ASPID          keys.ASPID
	Access         keys.AccessKey
	Key            keys.KeyID
	Server, Client int // numbers of pairs
	State          keys.State
	Ends           keys.Ends
	Overlap        time.Duration
	Force          bool
}

// answer is what came of an order.
type answer struct {
	Refusal string // empty: done
	Text    string // of the error
	Access  keys.AccessKey
	Entries int
}

// party is one of the two processes.
type party func(order) answer

// desk carries out orders on the store that the last one named.
type desk struct {
	*manage.Manager
	store  *filestore.Store
	order  order
	primes []*big.Int
}

func (d *desk) do(o order) answer {
	if err := d.turn(o); err != nil {
		return answer{Refusal: "broken", Text: err.Error()}
	}
	a, err := d.act(o)
	if err != nil {
		a = answer{Refusal: refusal(err), Text: err.Error()}
	}
	return a
}

// turn makes the world that of an order, and opens its store if it is another.
func (d *desk) turn(o order) error {
	moved := d.order.Dir != o.Dir
	if d.order = o; moved {
		return d.open(o.Dir)
	}
	return nil
}

func (d *desk) open(dir string) (err error) {
	if d.store, err = filestore.Open(dir); err != nil {
		return err
	}
	d.Manager, err = manage.New(keystest.Background, manage.Config{Store: d.store, Master: keystest.MasterKey(1), MaxPerProject: 2, Quiet: 168 * time.Hour,
		Now: func() time.Time { return d.order.Now },
		Prove: func(jwk.Private, jwk.Public) error {
			if d.order.Broken {
				return errors.New("the canary died")
			}
			return nil
		},
		Usage: func(context.Context) ([]keys.Use, error) {
			if !d.order.Used {
				return nil, nil
			}
			return []keys.Use{{ASPID: d.order.ASPID, KeyID: d.order.Key, LastUsed: d.order.Now.Add(-time.Hour)}}, nil
		}})
	return err
}

func (d *desk) act(o order) (a answer, err error) {
	var issued manage.Issued
	switch o.Act {
	case "project create":
		issued, err = d.CreateProject(keystest.Background, keystest.Operator, manage.NewProject{ASPID: o.ASPID, AccessKey: o.Access})
	case "project rotate-secret":
		issued, err = d.RotateSecret(keystest.Background, keystest.Operator, o.ASPID, o.Overlap)
	case "project suspend":
		_, err = d.SuspendProject(keystest.Background, keystest.Operator, o.ASPID)
	case "project resume":
		_, err = d.ResumeProject(keystest.Background, keystest.Operator, o.ASPID)
	case "key create":
		_, err = d.CreateKey(keystest.Background, keystest.Operator, d.newKey(o))
	case "key rotate":
		_, err = d.RotateKey(keystest.Background, keystest.Operator, d.newKey(o), o.Ends)
	case "key promote":
		_, err = d.PromoteKey(keystest.Background, keystest.Operator, o.Key, o.Ends)
	case "key suspend":
		_, err = d.SuspendKey(keystest.Background, keystest.Operator, o.Key)
	case "key resume":
		_, err = d.ResumeKey(keystest.Background, keystest.Operator, o.Key)
	case "key discard":
		_, err = d.DiscardKey(keystest.Background, keystest.Operator, o.Key, o.Force)
	case "verify":
		a.Entries, err = d.VerifyAudit(keystest.Background)
	default:
		err = fmt.Errorf("no such act: %q", o.Act)
	}
	a.Access = issued.AccessKey
	return a, err
}

func (d *desk) newKey(o order) manage.NewKey {
	return manage.NewKey{ID: o.Key, ASPID: o.ASPID, Server: pairOf(d.primes, o.Server), Client: &pairOf(d.primes, o.Client).PublicKey, State: o.State}
}

// refusal is the kind of an error, as callers tell them apart.
func refusal(err error) string {
	if _, illegal := errors.AsType[*keys.MoveError](err); illegal {
		return "move"
	}
	if _, inUse := errors.AsType[*manage.InUseError](err); inUse {
		return "in use"
	}
	for kind, is := range map[string]error{"not found": keys.ErrNotFound, "exists": keys.ErrExists, "limit": keys.ErrLimit, "refused": keys.ErrRefused} {
		if errors.Is(err, is) {
			return kind
		}
	}
	return "broken"
}

// primes are those of all RSA keys here: any two make another key, so that
// thousands of keys cost no more time than six.
func primes() (out []*big.Int) {
	for _, k := range keystest.RsaKeys() {
		out = append(out, k.Primes...)
	}
	return out
}

const pairs = 66 // of 12 primes

// pairOf is the RSA key with that number.
func pairOf(primes []*big.Int, number int) *rsa.PrivateKey {
	for i, p := range primes {
		if number < i {
			return keyOf(primes[number], p)
		}
		number -= i
	}
	panic("there are not so many pairs")
}

func keyOf(p, q *big.Int) *rsa.PrivateKey {
	one, e := big.NewInt(1), big.NewInt(65537)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	k := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 65537}, D: new(big.Int).ModInverse(e, phi), Primes: []*big.Int{p, q}}
	k.Precompute()
	return k
}

// hire starts the second process.
func hire(t *testing.T) party {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), workerEnv+"=1"), os.Stderr
	in, out := keystest.Must(cmd.StdinPipe()), keystest.Must(cmd.StdoutPipe())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	orders, answers := json.NewEncoder(in), json.NewDecoder(out)
	t.Cleanup(func() {
		if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
			t.Errorf("the second process: %v", err)
		}
	})
	if err := orders.Encode(primes()); err != nil {
		t.Fatal(err)
	}
	return func(o order) (a answer) {
		if err := errors.Join(orders.Encode(o), answers.Decode(&a)); err != nil {
			t.Fatal(err)
		}
		return a
	}
}
