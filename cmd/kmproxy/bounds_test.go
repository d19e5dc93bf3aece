package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/cmd/internal/wire"
	"kmproxy/crypto/alg"
	"kmproxy/crypto/envelope"
	"kmproxy/crypto/jwk"
	"kmproxy/keys"
)

// maxIdleKiB bounds the resident memory of a proxy that has nothing to do.
const maxIdleKiB = 40 << 10

// TestBounds starts the built program on a store with one key and on one with
// 10,000, and prints how long it took to be ready and what memory it has. Idle
// memory is asserted; times are not, for machines are shared.
func TestBounds(t *testing.T) {
	program := build(t)
	for _, count := range []int{1, 10000} {
		dir := t.TempDir()
		fillStore(t, dir, count)
		took, kib := start(t, program, dir)
		t.Logf("%6d keys: ready after %v, %d KiB resident", count, took.Round(time.Millisecond), kib)
		if count == 1 && kib > maxIdleKiB {
			t.Errorf("idle memory is %d KiB, wanted at most %d", kib, maxIdleKiB)
		}
	}
}

// start runs the program until it is ready and returns the time that took and its
// resident memory.
func start(t *testing.T, program, dir string) (time.Duration, int) {
	t.Helper()
	public, admin := freeAddress(t), freeAddress(t)
	text := fmt.Sprintf("[listen]\naddress = %q\n[admin]\naddress = %q\n", public, admin)
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "serve")
	cmd.Dir = dir
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("stopping: %v", err)
		}
	}()
	for end := begun.Add(patience); ; time.Sleep(2 * time.Millisecond) {
		answer, err := http.Get("http://" + admin + "/readyz")
		if err == nil {
			_ = answer.Body.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatal("the proxy is not ready")
		}
	}
	return time.Since(begun), resident(t, cmd.Process.Pid)
}

func resident(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skipf("resident memory is read from /proc: %v", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	var kib int
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}

// fillStore writes records by hand, because making 10,000 RSA keys would take an
// hour: each key has the same halves under another id.
func fillStore(t *testing.T, dir string, count int) {
	t.Helper()
	ctx := context.Background()
	cfg := config.Default(dir)
	world := wire.World{Getenv: os.Getenv, Now: time.Now}
	vault, err := wire.OpenVault(ctx, cfg, world, wire.ToWrite)
	if err != nil {
		t.Fatal(err)
	}
	changes := []keys.Change{{Name: "seal", Value: fmt.Appendf(nil, `{"key_id":%q,"created_at":%q}`, vault.Master.ID(), time.Now().Format(time.RFC3339))}}
	half := newHalves(t)
	for i := 0; i < count; i += 2 {
		changes = append(changes, half.record(vault.Master, i, min(2, count-i)))
	}
	if _, err := vault.Store.Commit(ctx, 0, changes...); err != nil {
		t.Fatal(err)
	}
}

// halves are a key pair in the forms that a record has.
type halves struct {
	public  string
	private []byte
}

func newHalves(t *testing.T) halves {
	t.Helper()
	k, err := jwk.Generate(newKeyBits)
	if err != nil {
		t.Fatal(err)
	}
	der, err := jwk.PrivateDER(k)
	if err != nil {
		t.Fatal(err)
	}
	half, err := jwk.NewPublic(&k.PublicKey, alg.All())
	if err != nil {
		t.Fatal(err)
	}
	public, err := half.PEM()
	if err != nil {
		t.Fatal(err)
	}
	return halves{string(public), der.Expose()}
}

// record is a project with some keys, as package keys writes it.
func (h halves) record(master envelope.Key, number, count int) keys.Change {
	const at = "2026-01-01T00:00:00Z"
	id := fmt.Sprintf("%015d", number)
	access := fmt.Sprintf("%040d", number)
	var list []any
	private := map[string][]byte{}
	for i := range count {
		keyID := fmt.Sprintf("%032x", number+i)
		state := [...]string{"active", "staged"}[i]
		list = append(list, map[string]any{"key_id": keyID, "state": state, "created_at": at, "since": at,
			"algs": []string{"RSA-OAEP", "RSA-OAEP-256"}, "encs": []string{"A128GCM", "A256GCM"},
			"server_public_key": h.public, "client_public_key": h.public})
		private[keyID] = h.private
	}
	plain := marshal(map[string]any{"asp_id": id, "state": "active", "created_at": at, "keys": list,
		"credentials": []any{map[string]any{"access_key": access, "created_at": at}}})
	hidden := marshal(map[string]any{"secret_keys": map[string][]byte{access: []byte("a secret")}, "private_keys": private})
	name := "project/" + id
	sealed := master.Seal(envelope.Place{Record: name, Field: "secrets", Version: 1}, plain, hidden)
	return keys.Change{Name: name, Value: marshal(map[string]any{"version": 1, "plain": json.RawMessage(plain), "sealed": sealed})}
}

func marshal(v any) []byte {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return out
}
