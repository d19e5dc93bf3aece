package bench_test

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kmproxy/proxy"
	"kmproxy/proxy/proxytest"
)

// upstreamVariable tells the child process where the upstream is, and that it is
// the child.
const upstreamVariable = "KMPROXY_BENCH_UPSTREAM"

// TestChild is the proxy's process: whoever measures talks to it by lines. It is
// not a test.
func TestChild(t *testing.T) {
	upstream := os.Getenv(upstreamVariable)
	if upstream == "" {
		return
	}
	p := proxytest.Start(t, func(c *proxy.Config) {
		u, err := url.Parse(upstream)
		if err != nil {
			t.Fatal(err)
		}
		c.Upstreams = []*url.URL{u}
	})
	fmt.Println(hello(t, p))
	rsaKey := proxytest.NewRSA(t)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		command, argument, _ := strings.Cut(in.Text(), " ")
		switch command {
		case "cpu":
			fmt.Println(cpu().Microseconds())
		case "rsa":
			fmt.Println(privateOperations(t, rsaKey).Microseconds())
		case "profile":
			profile(t, argument)
			fmt.Println("ok")
		}
	}
	pprof.StopCPUProfile()
}

// greeting is what a client needs to know of the child.
type greeting struct {
	URL       string
	CA        string // PEM
	ASPID     string
	AccessKey string
	Secret    string
	KeyID     string
	ServerPEM string
}

func hello(t *testing.T, p *proxytest.Proxy) string {
	server, err := p.Caller.Server.PEM()
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(greeting{URL: p.URL, ASPID: string(p.Caller.ASPID), AccessKey: string(p.Caller.AccessKey),
		Secret: string(p.Caller.Secret.Expose()), KeyID: string(p.Caller.KeyID), ServerPEM: string(server),
		CA: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.CACert}))})
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// cpu is the time that this process has used, user and system.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

const rsaRounds = 200

// privateOperations is the CPU time of rsaRounds OAEP openings and nothing else,
// as many at once as in the proxy: cores that share what they are made of take
// longer when both are busy.
func privateOperations(t *testing.T, k *rsa.PrivateKey) time.Duration {
	sealed, err := rsa.EncryptOAEP(crypto.SHA256.New(), rand.Reader, &k.PublicKey, make([]byte, 32), nil)
	if err != nil {
		t.Fatal(err)
	}
	start := cpu()
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for range rsaRounds / runtime.GOMAXPROCS(0) {
				if _, err := k.Decrypt(rand.Reader, sealed, &rsa.OAEPOptions{Hash: crypto.SHA256}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	return cpu() - start
}

// profile starts a CPU profile into a file, or with no name ends it.
func profile(t *testing.T, file string) {
	if file == "" {
		pprof.StopCPUProfile()
		return
	}
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		t.Fatal(err)
	}
}

// child is the proxy's process as the one who measures sees it.
type child struct {
	greeting
	in  *os.File
	out *bufio.Scanner
}

func startChild(b *testing.B, upstream string) *child {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), upstreamVariable+"="+upstream)
	read, write, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	cmd.Stdin, cmd.Stderr = read, os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	_ = read.Close() // the child has it
	c := &child{in: write, out: bufio.NewScanner(stdout)}
	b.Cleanup(func() {
		_ = write.Close() // which ends the child
		_ = cmd.Wait()
	})
	if !c.out.Scan() {
		b.Fatal("the proxy's process did not start")
	}
	if err := json.Unmarshal(bytes.TrimSpace(c.out.Bytes()), &c.greeting); err != nil {
		b.Fatalf("%v: %s", err, c.out.Text())
	}
	return c
}

// ask sends a line and returns the answer to it.
func (c *child) ask(b *testing.B, line string) string {
	b.Helper()
	if _, err := fmt.Fprintln(c.in, line); err != nil {
		b.Fatal(err)
	}
	if !c.out.Scan() {
		b.Fatal("the proxy's process ended")
	}
	return c.out.Text()
}

func (c *child) micros(b *testing.B, line string) float64 {
	b.Helper()
	var n float64
	if _, err := fmt.Sscan(c.ask(b, line), &n); err != nil {
		b.Fatal(err)
	}
	return n
}
