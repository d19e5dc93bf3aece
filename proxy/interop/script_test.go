package interop_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// scriptTime is when a script that hangs is ended. It is far more than one takes.
const scriptTime = 5 * time.Minute

// runNode runs a script of the folder node. It needs the files too.
func runNode(t *testing.T, j job, script string, files ...string) report {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "Node.js")
	}
	for _, f := range append(files, script, "provider.mjs") {
		need(t, filepath.Join("node", f))
	}
	return runScript(t, j, node, filepath.Join("node", script))
}

// runPython runs the script with the first Python that has jwcrypto: Debian's
// own, for another one may stand before it in PATH.
func runPython(t *testing.T, j job) report {
	t.Helper()
	script := filepath.Join("python", "with_jwcrypto.py")
	need(t, script)
	for _, python := range []string{"/usr/bin/python3", "python3"} {
		if exec.CommandContext(t.Context(), python, "-c", "import jwcrypto").Run() == nil {
			return runScript(t, j, python, script)
		}
	}
	missing(t, "Python with jwcrypto")
	return report{}
}

// need looks at a file, so that a cached test result is invalid after it changes.
func need(t *testing.T, file string) {
	t.Helper()
	if _, err := os.Stat(file); err != nil {
		missing(t, file)
	}
}

// missing skips, on a laptop, a client that cannot run there. CI has them all.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: run make setup", what)
	}
	t.Skipf("%s is missing: run make setup", what)
}

func runScript(t *testing.T, j job, program, script string) report {
	t.Helper()
	in, err := json.Marshal(j)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), scriptTime)
	defer cancel()
	var out, complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, program, script)
	cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+j.CAFile) // Node.js reads it only from there
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &complaints
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s", program, script, err, complaints.Bytes())
	}
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("%s %s: reading its report: %v\n%.200q", program, script, err, out.Bytes())
	}
	return r
}
