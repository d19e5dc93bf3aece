package e2e_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRelease builds what is released and makes an encrypted call through it. Each
// build says at its start whose RSA it has.
func TestRelease(t *testing.T) {
	need(t, "gcc")
	path := filepath.Join(t.TempDir(), "kmproxy")
	if out, err := exec.Command("make", "-C", "..", "release", "RELEASE="+path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := exec.Command("ldd", path).CombinedOutput(); err == nil {
		t.Errorf("it is not static:\n%s", out)
	}
	g := newGateway(t, newUpstream(t).URL, "")
	p := newProvider(t, g, 1)
	for rsa, program := range map[string]string{"Go": g.command(t).Path, "BoringCrypto": path} {
		g.log = &syncBuffer{}
		cmd := exec.Command(program, "serve")
		cmd.Dir = g.dir
		g.startAs(t, cmd)
		if err := p.connect(t, g.roots(t)).ask(t.Context(), rsa); err != nil {
			t.Errorf("%s: %v", rsa, err)
		}
		g.stop(t)
		if log := g.log.String(); !strings.Contains(log, `"rsa":"`+rsa+`"`) {
			t.Errorf("%s does not say so:\n%.500s", rsa, log)
		}
	}
}
