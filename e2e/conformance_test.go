package e2e_test

import (
	"encoding/json"
	"encoding/xml"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// ownWays are what h2spec misses and net/http decides, not we. Each is stricter
// than, or another legal answer than, the one that h2spec wants.
var ownWays = map[string]string{
	// net/http/h2_bundle.go, processSettings: "hang up on suspiciously large settings frames or those with duplicate entries"
	"Sends multiple values of SETTINGS_INITIAL_WINDOW_SIZE": "a frame that sets one value twice ends the connection",
	// net/http/h2_bundle.go, http2checkValidHTTP2RequestHeaders: such a request is answered 400 (RFC 9113 §8.1.1 allows an answer)
	"Sends a HEADERS frame that contains the connection-specific header field":                       "answered 400, never handled",
	"Sends a HEADERS frame that contains the TE header field with any value other than \"trailers\"": "answered 400, never handled",
}

// mostRuns is how often a section of h2spec may run until each of its cases has
// passed once. An answer may come before the request has ended (RFC 9113 §8.1), here
// a 404; a case whose frames come behind it misses the stream that it wants to break.
const mostRuns = 10

// TestH2Spec runs h2spec, in its strict form, against the public listener.
func TestH2Spec(t *testing.T) {
	path := tool(t, "github.com/summerwind/h2spec/cmd/h2spec")
	g := newGateway(t, newUpstream(t).URL, "")
	g.start(t)
	passed := 0
	for c, ok := range h2spec(t, path, g) {
		for run := 1; !ok && ownWays[c.name] == "" && run < mostRuns; run++ {
			ok = h2spec(t, path, g, c.section)[c]
		}
		if ok {
			passed++
		} else if ownWays[c.name] == "" {
			t.Errorf("failed %d times: %s: %s", mostRuns, c.section, c.name)
		}
	}
	t.Logf("h2spec: %d passed, %d are net/http's own ways", passed, len(ownWays))
	if passed < 140 {
		t.Errorf("only %d passed", passed)
	}
	g.stop(t)
}

// specCase is one case of h2spec.
type specCase struct{ section, name string }

// h2spec runs those sections, or all, and says which of their cases passed.
func h2spec(t *testing.T, path string, g *gateway, sections ...string) map[specCase]bool {
	t.Helper()
	_, port, err := net.SplitHostPort(g.public)
	if err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(t.TempDir(), "report.xml")
	args := append([]string{"-h", "127.0.0.1", "-p", port, "-t", "-k", "-S", "-o", "10", "-j", report}, sections...)
	out, _ := exec.Command(path, args...).CombinedOutput() // what failed stands in the report
	var suites struct {
		Suite []struct {
			Case []struct {
				Section string    `xml:"package,attr"`
				Name    string    `xml:"classname,attr"`
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	text, err := os.ReadFile(report)
	if err == nil {
		err = xml.Unmarshal(text, &suites)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	passed := map[specCase]bool{}
	for _, s := range suites.Suite {
		for _, c := range s.Case {
			passed[specCase{c.Section, c.Name}] = c.Failure == nil && c.Error == nil
		}
	}
	return passed
}

// TestTLSScans runs sslscan and testssl.sh: nothing old is offered, and testssl
// finds nothing above INFO but what a CA of one's own brings with it.
func TestTLSScans(t *testing.T) {
	need(t, "sslscan")
	need(t, "testssl")
	g := newGateway(t, newUpstream(t).URL, "")
	g.start(t)
	scan(t, g)
	findings := testssl(t, g)
	seen := 0
	for _, f := range findings {
		seen++
		if slices.Contains([]string{"OK", "INFO", "DEBUG"}, f.Severity) || ofLocalCA.MatchString(f.ID) || ofOpenSSL.MatchString(f.Finding) {
			continue
		}
		t.Errorf("testssl: %s: %s: %s", f.Severity, f.ID, f.Finding)
	}
	t.Logf("testssl: %d findings", seen)
	if seen < 50 {
		t.Errorf("testssl looked at %d things only", seen)
	}
	g.stop(t)
}

// ofLocalCA is what testssl says of any certificate of a private CA, which has no
// list of revoked ones and is in no browser; and of any certificate, that DNS has
// no CAA record for 127.0.0.1.
var ofLocalCA = regexp.MustCompile(`^(cert_chain_of_trust|cert_trust|cert_revocation|cert_crlDistributionPoints|cert_ocspURL|OCSP_stapling|cert_mustStapleExtension|DNS_CAArecord|cert_extlifeSpan|certificate_transparency)`)

// ofOpenSSL is what testssl says of the OpenSSL that it runs.
var ofOpenSSL = regexp.MustCompile(`(?i)your /usr/bin/openssl|not supported by local OpenSSL`)

func scan(t *testing.T, g *gateway) {
	t.Helper()
	out, err := exec.Command("sslscan", "--no-colour", g.public).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	accepted := 0
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "Accepted") && !strings.HasPrefix(line, "Preferred") {
			continue
		}
		accepted++
		if !regexp.MustCompile(`TLSv1\.[23].*(GCM|CHACHA20)`).MatchString(line) {
			t.Errorf("sslscan: %s", line)
		}
	}
	for _, want := range []string{`SSLv2 +disabled`, `SSLv3 +disabled`, `TLSv1\.0 +disabled`, `TLSv1\.1 +disabled`, `TLSv1\.3 +enabled`,
		`supports TLS Fallback SCSV`, `renegotiation not supported`} {
		if !regexp.MustCompile(want).Match(out) {
			t.Errorf("sslscan has no line %s:\n%s", want, out)
		}
	}
	if accepted == 0 {
		t.Errorf("sslscan found no cipher:\n%s", out)
	}
}

// finding is one line of testssl's report.
type finding struct{ ID, Severity, Finding string }

func testssl(t *testing.T, g *gateway) (out []finding) {
	t.Helper()
	report := filepath.Join(t.TempDir(), "report.json")
	text, runErr := exec.Command("testssl", "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--fast", "--ip", "127.0.0.1",
		"-p", "-s", "-f", "-P", "-S", "-U", "--jsonfile", report, "https://"+g.public).CombinedOutput()
	content, err := os.ReadFile(report)
	if err == nil {
		err = json.Unmarshal(content, &out)
	}
	if err != nil {
		t.Fatalf("%v, %v\n%s", runErr, err, text)
	}
	return out
}
