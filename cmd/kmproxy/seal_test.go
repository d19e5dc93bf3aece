package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSealRotateKilled kills the re-sealing of 1,000 records at random moments,
// again and again until it is through, from one master key to the next, until
// enough of the kills fell into the midst of it.
func TestSealRotateKilled(t *testing.T) {
	const records = 1001 // with the audit chain's key
	const enough, most = 4, 40
	k := newKiller(t)
	fillStore(t, k.dir, 2*(records-1))
	k.source(t, "data", "data/master.key")
	former := k.must(t, "seal", "status")["key_id"].(string)
	rounds, kills, midway := 0, 0, 0
	from := reach(time.Second)
	for ; midway < enough && rounds < most; rounds++ {
		next := fmt.Sprintf("data/%d.key", rounds)
		for {
			killed := k.run(t, from.moment(), "seal", "rotate", "--to", "file:"+next).killed
			if from.learn(killed); !killed {
				break
			}
			kills++
			midway += k.checkMidway(t, former, records)
		}
		k.source(t, "data", next)
		former = k.checkSealed(t, former, records)
	}
	t.Logf("%d times through, %d kills, %d of them midway", rounds, kills, midway)
	if midway < enough {
		t.Error("the moments are not spread well")
	}
}

// checkMidway looks at a store after a kill: it is as before, or is being
// re-sealed, which is told, or is through. It counts the second.
func (k *killer) checkMidway(t *testing.T, former string, records int) int {
	t.Helper()
	out, err := k.command("seal", "status").Output()
	if err != nil {
		if !bytes.Contains(out, []byte("sealed under another master key")) {
			t.Fatalf("seal status: %v\n%s", err, out)
		}
		return 0
	}
	status := k.must(t, "seal", "status")
	if status["key_id"] != former || status["records"] != float64(records) {
		t.Fatalf("seal status: %s", out)
	}
	if status["in_progress"] == nil {
		return 0
	}
	out, err = k.command("project", "create", "--asp-id", "A00000000000000").Output()
	if err == nil || !bytes.Contains(out, []byte("being re-sealed")) {
		t.Fatalf("a project was made: %v\n%s", err, out)
	}
	return 1
}

// checkSealed wants a whole store under exactly the configured key, and returns
// that key's id.
func (k *killer) checkSealed(t *testing.T, former string, records int) string {
	t.Helper()
	status := k.must(t, "seal", "status")
	if status["records"] != float64(records) || status["key_id"] == former || status["in_progress"] != nil {
		t.Fatalf("seal status: %v", status)
	}
	k.must(t, "audit", "verify")
	if n := len(k.must(t, "project", "list")["projects"].([]any)); n != records-1 {
		t.Fatalf("%d projects are left", n)
	}
	if n := holding(t, filepath.Join(k.dir, "data"), "km1."+former+"."); n > 0 {
		t.Fatalf("%d files still hold what is sealed under the former key", n)
	}
	id := status["key_id"].(string)
	if n := holding(t, filepath.Join(k.dir, "data"), "km1."+id+"."); n != 1 {
		t.Fatalf("%d files hold what is sealed under the key", n)
	}
	return id
}

// holding counts the files of a folder that hold a text.
func holding(t *testing.T, dir, text string) int {
	t.Helper()
	found := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(text)) {
			found++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestSealRotateInterrupted: a signal ends it between two commits, and says how
// to go on.
func TestSealRotateInterrupted(t *testing.T) {
	k := newKiller(t)
	fillStore(t, k.dir, 2000)
	k.source(t, "data", "data/master.key")
	for wait := time.Duration(rand.Int64N(int64(50 * time.Millisecond))); ; wait += wait / 2 {
		cmd := k.command("seal", "rotate", "--to", "file:data/next.key")
		var out bytes.Buffer
		cmd.Stdout = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(wait)
		_ = cmd.Process.Signal(syscall.SIGINT) // it may have ended
		err := cmd.Wait()
		if err == nil {
			break
		}
		if said := out.String(); !strings.Contains(said, context.Canceled.Error()) && cmd.ProcessState.ExitCode() != -1 {
			t.Fatalf("%v: %s", err, said)
		}
	}
	k.source(t, "data", "data/next.key")
	k.must(t, "audit", "verify")
}
