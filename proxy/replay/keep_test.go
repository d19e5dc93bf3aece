package replay_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kmproxy/keys"
	"kmproxy/proxy/replay"
)

// process is a Memory with its folder, as one process has them.
type process struct {
	*replay.Memory
	dir string
	log *logBuffer
}

type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) count(text string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.buf.String(), text)
}

// start opens a folder with the clock of the bubble that the test is in.
func start(t *testing.T, dir string, l replay.Limits) *process {
	t.Helper()
	p := &process{replay.New(l), dir, &logBuffer{}}
	if err := p.Keep(dir, window, time.Now, slog.New(slog.NewTextHandler(p.log, nil))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// killed is a process that finds what this one would leave if it were killed now.
func (p *process) killed(t *testing.T) *process {
	t.Helper()
	return start(t, p.copy(t), plenty)
}

// copy is the folder as it is now. Locks are not copied.
func (p *process) copy(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "replay")
	if err := os.CopyFS(dir, os.DirFS(p.dir)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (p *process) claim(t *testing.T, project keys.ASPID, n int, want error) *replay.Claim {
	t.Helper()
	return claim(t, p.Memory, project, id(n), time.Now(), want)
}

// handOver claims and records.
func (p *process) handOver(t *testing.T, project keys.ASPID, n int) *replay.Claim {
	t.Helper()
	c := p.claim(t, project, n, nil)
	c.Record()
	return c
}

func (p *process) files(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(p.dir, "*.claims"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// later lets time pass, and the folder be brought up to date.
func later(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func folder(t *testing.T) string { return filepath.Join(t.TempDir(), "replay") }

func TestOutlivesTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, folder(t), plenty)
		p.handOver(t, "A", 1)
		p.claim(t, "A", 2, nil) // not handed over
		p.handOver(t, "A", 3).Release()
		p.claim(t, "A", 4, nil).Release()
		later(window - time.Millisecond)
		p.handOver(t, "A", 5)

		q := p.killed(t)
		q.claim(t, "A", 1, replay.ErrReplayed)
		q.claim(t, "B", 1, nil)
		for _, n := range []int{2, 3, 4} {
			q.claim(t, "A", n, nil)
		}
		later(time.Millisecond)
		q.claim(t, "A", 1, nil)
		q.claim(t, "A", 5, replay.ErrReplayed)
	})
}

// TestOutlivesManyProcesses: each finds what all before it left.
func TestOutlivesManyProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, folder(t), plenty)
		const processes = 200
		for n := range processes {
			p.handOver(t, "A", n)
			p.Close()
			p = start(t, p.dir, plenty)
		}
		for n := range processes {
			p.claim(t, "A", n, replay.ErrReplayed)
		}
		later(2 * time.Second)
		if n := len(p.files(t)); n > 100 {
			t.Errorf("%d files are left of %d processes", n, processes)
		}
		q := p.killed(t)
		for n := range processes {
			q.claim(t, "A", n, replay.ErrReplayed)
		}
	})
}

// TestReleasedAndClaimedAgain: within one millisecond, too.
func TestReleasedAndClaimedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, folder(t), plenty)
		for range 3 {
			p.handOver(t, "A", 1).Release()
		}
		p.killed(t).claim(t, "A", 1, nil)
		p.handOver(t, "A", 1)
		p.killed(t).claim(t, "A", 1, replay.ErrReplayed)
	})
}

// TestFilesGo: with what is in them, of this process and of those before it.
func TestFilesGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, folder(t), plenty)
		for n := range 20 {
			p.handOver(t, "A", n)
			later(window / 10)
		}
		if n := len(p.files(t)); n == 0 || n > 10 {
			t.Errorf("%d files", n)
		}
		p.Close()
		q := start(t, p.dir, plenty)
		later(window / 2)
		if len(q.files(t)) == 0 {
			t.Error("a file is gone that still counts")
		}
		q.handOver(t, "A", 100)
		later(window + 2*time.Second)
		if files := q.files(t); len(files) > 0 {
			t.Errorf("%v are left", files)
		}
	})
}

// TestTwoProcesses: each has files of its own, and reads the other's at its start.
func TestTwoProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, folder(t), plenty)
		p.handOver(t, "A", 1)
		q := start(t, p.dir, plenty)
		q.claim(t, "A", 1, replay.ErrReplayed)
		q.handOver(t, "A", 2)
		c := p.handOver(t, "A", 3)
		q.handOver(t, "A", 3) // a memory of its own
		c.Release()           // which takes nothing from the other
		later(window / 2)
		p.handOver(t, "A", 4)
		p.Close()
		later(window/2 + 2*time.Second) // what the other wrote since is not removed with the rest
		r := p.killed(t)
		r.claim(t, "A", 4, replay.ErrReplayed)
		r.claim(t, "A", 3, nil)
		later(window)
		q.Close()
		if files := start(t, p.dir, plenty).files(t); len(files) > 0 {
			t.Errorf("%v are left", files)
		}
	})
}

func TestReleasesOfAnotherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, folder(t), plenty)
		q := start(t, p.dir, plenty)
		c := p.handOver(t, "A", 1)
		q.handOver(t, "A", 1)
		c.Release()
		p.killed(t).claim(t, "A", 1, replay.ErrReplayed)
	})
}

// TestManyReleases: what was released does not fill the disk.
func TestManyReleases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, folder(t), plenty)
		p.handOver(t, "A", -1)
		for n := range 1<<16 + 2 {
			p.handOver(t, "A", n).Release()
		}
		later(2 * time.Second)
		if got := size(t, p.dir); got > 1000 {
			t.Errorf("%d bytes for one claim", got)
		}
		c := p.claim(t, "A", 1, nil)
		p.killed(t).claim(t, "A", 1, nil)
		c.Release()
		p.killed(t).claim(t, "A", -1, replay.ErrReplayed)
	})
}

// size is how many bytes the files of a folder have.
func size(t testing.TB, dir string) (bytes int64) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.claims"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		about, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		bytes += about.Size()
	}
	return bytes
}

// TestRecordsAtOnce: nothing is lost where many write.
func TestRecordsAtOnce(t *testing.T) {
	p := start(t, folder(t), plenty)
	var all sync.WaitGroup
	for worker := range 16 {
		all.Go(func() {
			for i := range 200 {
				c, err := p.Claim("A", id(worker*1000+i), window, time.Now())
				if err != nil {
					t.Error(err)
					return
				}
				c.Record()
				if i%2 == 1 {
					c.Release()
				}
			}
		})
	}
	all.Wait()
	if got := p.killed(t).Len(); got != 1600 || p.Unwritten() > 0 || p.Trouble() != nil {
		t.Errorf("%d of 1600 are there, %d unwritten, %v", got, p.Unwritten(), p.Trouble())
	}
}

// TestClockSetBack: what seems to come from the future counts from the start on.
func TestClockSetBack(t *testing.T) {
	dir := folder(t)
	synctest.Test(t, func(t *testing.T) {
		later(1000 * time.Hour)
		start(t, dir, plenty).handOver(t, "A", 1)
	})
	synctest.Test(t, func(t *testing.T) { // 1000 hours earlier
		p := start(t, dir, plenty)
		p.claim(t, "A", 1, replay.ErrReplayed)
		later(window - time.Millisecond)
		p.claim(t, "A", 1, replay.ErrReplayed)
		later(time.Millisecond)
		p.claim(t, "A", 1, nil)
		later(2 * time.Second)
		if files := p.files(t); len(files) > 0 {
			t.Errorf("%v are left", files)
		}
	})
}

// TestTooSmallForTheFiles: the newest is kept, and the log says what is lost.
func TestTooSmallForTheFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, folder(t), plenty)
		for n := range 10 {
			p.handOver(t, "A", n)
			later(window / 10)
		}
		p.Close()
		q := start(t, p.dir, replay.Limits{Entries: 3, PerProject: 3})
		q.claim(t, "A", 9, replay.ErrReplayed)
		if q.Len() != 3 || q.log.count("limits.replay_requests") == 0 {
			t.Errorf("%d are remembered; log: %s", q.Len(), q.log.buf.String())
		}
	})
}

// TestLongWindow: 90 days, to the millisecond, over restarts.
func TestLongWindow(t *testing.T) {
	dir, day := folder(t), 24*time.Hour
	var m *replay.Memory
	now := noon
	restart := func() {
		m = replay.New(plenty)
		if err := m.Keep(dir, replay.LongestWindow, func() time.Time { return now }, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(m.Close)
	}
	try := func(n int, want error) {
		c, err := m.Claim("A", id(n), replay.LongestWindow, now)
		if !errors.Is(err, want) {
			t.Errorf("request %d after %v: got %v, want %v", n, now.Sub(noon), err, want)
		}
		c.Record()
	}
	for n := range 90 {
		restart()
		try(n, nil)
		try(0, replay.ErrReplayed)
		m.Close()
		now = now.Add(day)
	}
	now = now.Add(-time.Millisecond)
	restart()
	for n := range 90 {
		try(n, replay.ErrReplayed)
	}
	m.Close()
	now = now.Add(time.Millisecond)
	restart()
	try(0, nil)
	try(1, replay.ErrReplayed)
}
