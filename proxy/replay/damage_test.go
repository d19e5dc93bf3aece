package replay_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"kmproxy/proxy/replay"
)

const recordBytes = 32

// written is a folder whose one file has so many claims, and that file.
func written(t *testing.T, claims int) (p *process, path string, content []byte) {
	t.Helper()
	p = start(t, folder(t), plenty)
	for n := range claims {
		p.handOver(t, "A", n)
	}
	files := p.files(t)
	if len(files) != 1 {
		t.Fatalf("the files are %v", files)
	}
	content, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if len(content) != (1+claims)*recordBytes {
		t.Fatalf("%d bytes for %d claims", len(content), claims)
	}
	return p, filepath.Base(files[0]), content
}

// found is a process that finds one file of that content.
func found(t *testing.T, name string, content []byte) *process {
	t.Helper()
	dir := folder(t)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, dir, plenty)
}

// TestTornTail: wherever a file ends, the records before are known, and nothing is
// said of the torn one.
func TestTornTail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, name, content := written(t, 3)
		for cut := range content {
			q := found(t, name, content[:cut])
			if want := max(0, cut/recordBytes-1); q.Len() != want || q.log.count("ERROR") > 0 {
				t.Errorf("of %d bytes: %d are known, want %d; log: %s", cut, q.Len(), want, q.log.buf.String())
			}
			q.Close()
		}
	})
}

// TestDamagedRecord: whichever bit of it, the others are used and the log says so.
func TestDamagedRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, name, content := written(t, 3)
		for at := 2 * recordBytes; at < 3*recordBytes; at++ {
			content[at] ^= 1 << (at % 8)
			q := found(t, name, content)
			content[at] ^= 1 << (at % 8)
			q.claim(t, "A", 0, replay.ErrReplayed)
			q.claim(t, "A", 2, replay.ErrReplayed)
			if q.Len() != 2 || q.log.count("damaged=1") != 1 {
				t.Errorf("byte %d: %d are known; log: %s", at, q.Len(), q.log.buf.String())
			}
			q.Close()
		}
	})
}

// TestStrangeFiles: none keeps a process from starting, or takes its memory.
func TestStrangeFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, _ := written(t, 3)
		dir := p.copy(t)
		for name, make := range map[string]func(path string) error{
			"9-1.claims":  func(path string) error { return os.WriteFile(path, []byte("something else"), 0o600) },
			"10-1.claims": func(path string) error { return os.Mkdir(path, 0o700) },
			"11-1.claims": func(path string) error { return os.Symlink("/dev/zero", path) },
			"12-1.claims": func(path string) error { return os.Truncate(linked(t, p, path), 1<<37) },
			"x-1.claims":  func(path string) error { return os.WriteFile(path, nil, 0o600) },
			"99-1.claims": func(path string) error { return os.WriteFile(path, nil, 0o600) },
			"notes":       func(path string) error { return os.WriteFile(path, nil, 0o600) },
		} {
			if err := make(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		q := start(t, dir, replay.Limits{Entries: 100, PerProject: 100})
		if q.Len() != 3 || q.log.count("cannot be read") < 4 {
			t.Errorf("%d are known; log: %s", q.Len(), q.log.buf.String())
		}
		q.handOver(t, "A", 100)
	})
}

// linked is a copy of a process's file at a path.
func linked(t *testing.T, p *process, path string) string {
	t.Helper()
	content, err := os.ReadFile(p.files(t)[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFolderGone: a folder that cannot be written holds up nothing, is said once,
// and has everything when it is back, whatever it has by then.
func TestFolderGone(t *testing.T) {
	for name, back := range map[string]func(dir, away string) error{
		"the same":  func(dir, away string) error { return os.Rename(away, dir) },
		"an empty":  func(dir, _ string) error { return os.Mkdir(dir, 0o700) },
		"of itself": func(dir, _ string) error { return os.Remove(dir) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { goAway(t, back) })
		})
	}
}

func goAway(t *testing.T, back func(dir, away string) error) {
	p := start(t, folder(t), plenty)
	p.handOver(t, "A", 1)
	old := p.handOver(t, "A", 2)
	away := p.dir + ".away"
	if err := os.Rename(p.dir, away); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.dir, nil, 0o600); err != nil { // so that it cannot be made again
		t.Fatal(err)
	}
	later(5 * time.Second)
	between := p.handOver(t, "A", 3)
	p.handOver(t, "A", 4)
	later(window / 4)
	p.handOver(t, "A", 5)
	if p.Trouble() == nil || p.Unwritten() == 0 || p.log.count("cannot be written") != 1 {
		t.Errorf("trouble %v, %d unwritten, log: %s", p.Trouble(), p.Unwritten(), p.log.buf.String())
	}
	if err := os.RemoveAll(p.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(p.dir)
	_ = os.MkdirAll(filepath.Dir(p.dir), 0o700)
	if err := back(p.dir, away); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	later(2 * time.Second)
	if p.Trouble() != nil || p.Unwritten() != 0 || p.log.count("is written again") != 1 {
		t.Errorf("trouble %v, %d unwritten, log: %s", p.Trouble(), p.Unwritten(), p.log.buf.String())
	}
	old.Release()
	between.Release()
	q := p.killed(t)
	for _, n := range []int{1, 4, 5} {
		q.claim(t, "A", n, replay.ErrReplayed)
	}
	q.claim(t, "A", 2, nil)
	q.claim(t, "A", 3, nil)
}
