package storetest_test

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/memstore"
	"kmproxy/keys/storetest"
)

const defectEnv = "STORETEST_DEFECT"

func TestShared(t *testing.T) {
	storetest.RunShared(t, func(*testing.T) func() keys.Backend {
		s := memstore.New()
		return func() keys.Backend { return s }
	})
}

// TestDefectsAreFound runs the suite in child processes on stores that each break
// one clause, and wants the check of that clause to fail. All of them run at
// once, since some wait for what never comes.
func TestDefectsAreFound(t *testing.T) {
	found := make(map[string]func() string)
	for name, d := range defects() {
		found[name] = start(t, name, "^TestDefect$/^"+testName(d.foundBy)+"$")
	}
	for name, d := range defects() {
		t.Run(name, func(t *testing.T) {
			if out := found[name](); !strings.Contains(out, "--- FAIL: TestDefect/"+testName(d.foundBy)) {
				t.Errorf("the check %q did not find the defect:\n%s", d.foundBy, out)
			}
		})
	}
}

// start runs tests of this binary on a defective store; the function it returns
// waits for their output.
func start(t *testing.T, defect, tests string) func() string {
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run="+tests, "-test.v", "-test.timeout=10s")
	child.Env = append(os.Environ(), defectEnv+"="+defect)
	var out bytes.Buffer
	child.Stdout, child.Stderr = &out, &out
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	return func() string {
		_ = child.Wait() // a failed test is what the output is read for
		return out.String()
	}
}

// TestDefect runs the suite on the defective store that the environment names.
// Without one it takes a whole store, so that it can be run by itself.
func TestDefect(t *testing.T) {
	d := defects()[os.Getenv(defectEnv)]
	storetest.RunShared(t, func(*testing.T) func() keys.Backend {
		s := keys.Backend(memstore.New())
		if d.open != nil {
			s = d.open()
		}
		return func() keys.Backend { return s }
	})
}

func testName(check string) string {
	return strings.ReplaceAll(check, " ", "_")
}
