package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kmproxy/cmd/internal/arsdemo"
)

// TestReadme runs the commands of the README and of docs/start.md.
func TestReadme(t *testing.T) {
	for _, tool := range []string{"sh", "curl", "jq"} {
		need(t, tool)
	}
	for _, file := range []string{"README.md", "docs/start.md"} {
		t.Run(file, func(t *testing.T) { runConsole(t, file) })
	}
}

// runConsole runs every command of a document's console blocks, in order, in one
// shell, with the built program and the shipped config.
func runConsole(t *testing.T, file string) {
	commands := consoleCommands(t, "../../"+file)
	if len(commands) < 8 {
		t.Fatalf("it has only %d commands", len(commands))
	}
	dir := t.TempDir()
	upstream := serveARS(t)
	public, admin := freeAddress(t), freeAddress(t)
	ports := strings.NewReplacer("127.0.0.1:9080", upstream, ":8443", public, "127.0.0.1:9443", admin)
	shipped, err := os.ReadFile("../../config.toml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(ports.Replace(string(shipped))), 0o600); err != nil {
		t.Fatal(err)
	}
	script := "set -e\ntrap 'kill %1 2>/dev/null; wait' EXIT\n"
	for _, c := range commands {
		script += ports.Replace(c) + "\n"
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(build(t))+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, script, out)
	}
	if !strings.Contains(string(out), `{"authNumber":"`) {
		t.Errorf("the call shows no authNumber:\n%s", out)
	}
}

// consoleCommands are the lines that begin with "$ " in console blocks.
func consoleCommands(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	inside := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch command, ok := strings.CutPrefix(line, "$ "); {
		case strings.HasPrefix(line, "```"):
			inside = line == "```console"
		case inside && ok:
			out = append(out, command)
		}
	}
	return out
}

// build makes the program once for a test.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "kmproxy")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("building kmproxy: %v\n%s", err, out)
	}
	return program
}

// need skips a test whose tool is missing on a laptop; CI has them all.
func need(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: run scripts/setup-debian", tool)
	}
	t.Skipf("%s is not installed", tool)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // it is free again
	return l.Addr().String()
}

func serveARS(t *testing.T) string {
	t.Helper()
	s, err := arsdemo.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s.URL().Host
}
