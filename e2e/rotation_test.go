package e2e_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kmproxy/crypto/alg"
	"kmproxy/crypto/jwk"
	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
)

// TestRotationUnderTraffic is a Friday of a security team: clients call without a
// break and change their keys when it suits them, while keys are rotated,
// suspended, resumed, promoted and discarded, a secret is rotated and the master
// key is exchanged. No call is lost that should have worked.
func TestRotationUnderTraffic(t *testing.T) {
	f := newFriday(t)
	f.rotate(t)
	f.suspendAndResume(t)
	f.promoteBack(t)
	f.rotateSecret(t)
	f.rotateSeal(t)
	f.discard(t)
	f.plannedEnd(t)
	f.settle(t)
}

// friday is one project with three clients, and another project with one.
type friday struct {
	*gateway
	upstream *upstream
	step     time.Duration
	first    *provider // what the clients hold at the beginning
	now      *provider // the newest
	clients  []*client
	did      []string // the commands, as the audit record names them
	probes   map[keys.KeyID]int
}

func newFriday(t *testing.T) *friday {
	f := &friday{upstream: newUpstream(t), step: 100 * time.Millisecond, probes: map[keys.KeyID]int{}}
	if long() {
		f.step = 2 * time.Second
	}
	f.gateway = newGateway(t, f.upstream.URL, "")
	f.first = newProvider(t, f.gateway, 1)
	other := newProvider(t, f.gateway, 2)
	f.did = []string{"project create", "key create", "project create", "key create"}
	f.start(t)
	f.did = append(f.did, "item create") // its own CA, at the first start
	f.first.connect(t, f.roots(t))
	other.connect(t, f.roots(t))
	f.now = f.first
	for _, name := range []string{"quick", "slow", "slowest"} {
		f.clients = append(f.clients, newClient(t, name, f.first))
	}
	f.clients = append(f.clients, newClient(t, "another project's", other))
	f.wait()
	return f
}

func (f *friday) wait() { time.Sleep(f.step) }

// do runs a command that changes something.
func (f *friday) do(t *testing.T, args ...string) map[string]any {
	t.Helper()
	f.did = append(f.did, strings.Join(args[:2], " "))
	return f.run(t, args...)
}

// holding is a provider with another key, as a command printed it.
func (f *friday) holding(t *testing.T, p *provider, key map[string]any) *provider {
	t.Helper()
	private, err := os.ReadFile(filepath.Join(f.dir, key["key_id"].(string)+"_client_private.pem"))
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := jwk.ParsePrivatePEM(private)
	if err != nil {
		t.Fatal(err)
	}
	client, err := jwk.NewPrivate(rsaKey, alg.All())
	if err != nil {
		t.Fatal(err)
	}
	next := *p
	next.KeyID, next.Client = keys.KeyID(key["key_id"].(string)), client
	next.Server = publicHalf(t, key["server_public_key"].(string))
	return &next
}

// move lets the project's clients change to what p holds, one after the other.
func (f *friday) move(t *testing.T, p *provider) {
	t.Helper()
	for _, c := range f.clients[:3] {
		c.switchTo(t, p)
		f.wait()
	}
	f.now = p
}

func (f *friday) rotate(t *testing.T) {
	t.Helper()
	key := f.do(t, "key", "rotate", "--asp-id", string(f.first.ASPID))
	f.wait() // everybody goes on with the key that drains now
	next := f.holding(t, f.first, key)
	f.wantAccepted(t, next)
	f.move(t, next)
}

// suspendAndResume takes the former key out of use: within a second it is refused
// and then it stays so; resumed, it works again.
func (f *friday) suspendAndResume(t *testing.T) {
	t.Helper()
	f.do(t, "key", "suspend", string(f.first.KeyID))
	f.wantRefused(t, f.first, "900_003")
	f.do(t, "key", "resume", string(f.first.KeyID))
	f.wantAccepted(t, f.first)
	f.clients[2].switchTo(t, f.first) // the slowest needed it once more
	f.wait()
	f.clients[2].switchTo(t, f.now)
}

// promoteBack makes the former key the active one again.
func (f *friday) promoteBack(t *testing.T) {
	t.Helper()
	f.do(t, "key", "suspend", string(f.first.KeyID))
	f.wantRefused(t, f.first, "900_003")
	f.do(t, "key", "promote", string(f.first.KeyID))
	f.wantAccepted(t, f.first)
	f.move(t, f.first)
}

func (f *friday) rotateSecret(t *testing.T) {
	t.Helper()
	issued := f.do(t, "project", "rotate-secret", string(f.first.ASPID), "--overlap", "1h")
	next := *f.now
	next.AccessKey = keys.AccessKey(issued["access_key"].(string))
	next.Secret = sensitive.New([]byte(issued["secret_key"].(string)))
	f.wantAccepted(t, &next)
	f.move(t, &next)
}

// rotateSeal exchanges the master key while everybody calls.
func (f *friday) rotateSeal(t *testing.T) {
	t.Helper()
	f.run(t, "seal", "rotate", "--to", "file:next.key")
	f.did = append(f.did, "seal rotate begin", "seal rotate", "seal rotate end")
	f.wait()
	f.configure(t, f.upstream.URL, "[master_key]\nsource = \"file:next.key\"\n")
	f.reload(t)
	f.wait()
	f.wantReady(t)
}

// discard is refused while the ledger knows who used the key, and says who.
func (f *friday) discard(t *testing.T) {
	t.Helper()
	second := f.keyIn(t, "draining")
	f.do(t, "key", "suspend", second)
	soon(t, "the ledger knows the last use", func() bool { return f.counted(t)[keys.KeyID(second)] > 0 })
	out, err := f.command(t, "key", "discard", second).CombinedOutput()
	if err == nil || !strings.Contains(string(out), string(f.first.ASPID)) {
		t.Errorf("discarding a key in use: %v\n%s", err, out)
	}
	f.do(t, "key", "discard", second, "--force")
	f.did[len(f.did)-1] += " --force"
	if state := f.run(t, "key", "show", second)["state"]; state != "discarded" {
		t.Errorf("it is %v", state)
	}
}

// plannedEnd rotates with an end of draining that comes by the clock.
func (f *friday) plannedEnd(t *testing.T) {
	t.Helper()
	drain := 5 * time.Second
	if long() {
		drain = 15 * time.Second
	}
	former := f.now
	ends := time.Now().Add(drain)
	key := f.do(t, "key", "rotate", "--asp-id", string(f.first.ASPID), "--drain-until", drain.String())
	next := f.holding(t, f.now, key)
	f.wantAccepted(t, next)
	f.move(t, next)
	if time.Until(ends) > 0 {
		time.Sleep(time.Until(ends))
	}
	f.wantRefused(t, former, "900_003")
}

// followed is how long after a command the proxy may go by what was before. It is
// a second; the short form runs beside much else and does not measure.
func followed() time.Duration {
	if long() {
		return time.Second
	}
	return patience
}

// wantRefused probes a key until it is refused. No probe that begins later than
// that may be accepted, and what is refused stays refused.
func (f *friday) wantRefused(t *testing.T, p *provider, code string) {
	t.Helper()
	told := time.Now()
	refused := 0
	for i := 0; refused < 20; i++ {
		begun := time.Now()
		x, err := p.Call(t.Context(), arsPath, request(fmt.Sprint("probe/", p.KeyID, "/", begun.UnixNano())))
		switch {
		case err != nil:
			t.Fatal(err)
		case x.Status == 200:
			f.probes[p.KeyID]++
			if late := begun.Sub(told); late > followed() || refused > 0 {
				t.Fatalf("key %s is accepted %v after the command", p.KeyID, late)
			}
		case strings.Contains(string(x.AnswerBody), code):
			refused++
		default:
			t.Fatalf("status %d: %s", x.Status, x.AnswerBody)
		}
		time.Sleep(pause)
	}
}

// wantAccepted probes until the proxy has followed.
func (f *friday) wantAccepted(t *testing.T, p *provider) {
	t.Helper()
	told := time.Now()
	for {
		begun := time.Now()
		x, err := p.Call(t.Context(), arsPath, request(fmt.Sprint("probe/", p.KeyID, "/", begun.UnixNano())))
		if err == nil && x.Status == 200 {
			f.probes[p.KeyID]++
			return
		}
		if late := begun.Sub(told); err != nil || late > followed() {
			t.Fatalf("key %s is not accepted %v after the command: %v, %s", p.KeyID, late, err, x.AnswerBody)
		}
		time.Sleep(pause)
	}
}

// keyIn is the first project's key in a state.
func (f *friday) keyIn(t *testing.T, state string) string {
	t.Helper()
	for _, k := range f.run(t, "key", "list", "--asp-id", string(f.first.ASPID))["keys"].([]any) {
		if key := k.(map[string]any); key["state"] == state {
			return key["key_id"].(string)
		}
	}
	t.Fatalf("no key is %s", state)
	return ""
}

// counted is what the ledger says of opened requests.
func (f *friday) counted(t *testing.T) map[keys.KeyID]int {
	t.Helper()
	out := map[keys.KeyID]int{}
	for _, u := range f.run(t, "key", "usage")["usage"].([]any) {
		if use := u.(map[string]any); use["direction"] == "request" {
			out[keys.KeyID(use["key_id"].(string))] += int(use["requests"].(float64))
		}
	}
	return out
}

// settle compares what the clients, the upstream, the ledger and the audit record
// say of the day.
func (f *friday) settle(t *testing.T) {
	t.Helper()
	calls, deprecated, sunsets := maps.Clone(f.probes), 0, 0
	for _, c := range f.clients {
		c.end()
		if lost := c.failures(); len(lost) > 0 {
			t.Errorf("%s lost %d calls, first: %v", c.name, len(lost), lost[0])
		}
		for id, n := range c.by {
			calls[id] += n
			deprecated += c.old[id]
		}
		sunsets += c.sunsets
	}
	soon(t, "the ledger has caught up", func() bool { return maps.Equal(f.counted(t), calls) })
	f.stop(t)
	if ledger := f.counted(t); !maps.Equal(ledger, calls) {
		t.Errorf("the ledger has %v, the clients %v", ledger, calls)
	}
	total := 0
	for _, n := range calls {
		total += n
	}
	once, more := f.upstream.count()
	if once != total || more > 0 {
		t.Errorf("the upstream saw %d calls, %d of them more than once, want %d", once, more, total)
	}
	if deprecated == 0 || sunsets == 0 {
		t.Errorf("%d answers with Deprecation, %d with Sunset", deprecated, sunsets)
	}
	t.Logf("%d calls under %d keys, none lost; %d answers with Deprecation, %d with Sunset", total, len(calls), deprecated, sunsets)
	f.wantAudited(t)
}

func (f *friday) wantAudited(t *testing.T) {
	t.Helper()
	var actions []string
	for _, e := range f.run(t, "audit", "list")["entries"].([]any) {
		actions = append(actions, e.(map[string]any)["action"].(string))
	}
	if !slices.Equal(actions, f.did) {
		t.Errorf("audited: %q\ndone: %q", actions, f.did)
	}
	if ok := f.run(t, "audit", "verify")["ok"]; ok != true {
		t.Errorf("audit verify: %v", ok)
	}
}
