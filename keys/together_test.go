package keys_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/filestore"
	"kmproxy/keys/memstore"
)

// TestTogether: eight at once, through two managers, on one store.
func TestTogether(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		store := memstore.New()
		together(t, officeOn(t, store), officeOn(t, store))
	})
	t.Run("files", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "store")
		together(t, officeOn(t, must(filestore.Open(dir))), officeOn(t, must(filestore.Open(dir))))
		hasNoSecrets(t, dir)
	})
}

func together(t *testing.T, first, second office) {
	const workers, pairs = 8, 5
	first.addProject(t, alice)
	var made, others atomic.Int64
	var wg sync.WaitGroup
	for worker := range workers {
		o := []office{first, second}[worker%2]
		wg.Go(func() {
			id := keys.ASPID(fmt.Sprintf("Worker%09d", worker))
			if _, err := o.CreateProject(bg, operator, keys.NewProject{ASPID: id}); err != nil {
				t.Errorf("worker %d: %v", worker, err)
			}
			for pair := range pairs {
				n := newKey(alice, (pair+worker)%pairs, []keys.State{0, keys.Active, keys.Staged}[(pair+worker)%3])
				n.ID = keyID(100*worker + pair)
				_, err := o.CreateKey(bg, operator, n)
				switch {
				case err == nil:
					made.Add(1)
				case errors.Is(err, keys.ErrLimit) || errors.Is(err, keys.ErrExists) || errors.Is(err, keys.ErrRefused):
					others.Add(1)
				default:
					t.Errorf("worker %d: %v", worker, err)
				}
				wantSound(t, o)
			}
		})
	}
	wg.Wait()
	wantSound(t, first)
	if all := must(second.Projects(bg)); len(all) != 1+workers {
		t.Errorf("%d projects, want %d", len(all), 1+workers)
	}
	if ks := must(second.Keys(bg, alice)); int64(len(ks)) != made.Load() || made.Load() != 2 || others.Load() != workers*pairs-2 {
		t.Errorf("%d keys are there, %d were said to be made, %d were refused", len(ks), made.Load(), others.Load())
	}
}

// wantSound checks what holds at any moment, whoever is acting.
func wantSound(t *testing.T, o office) {
	t.Helper()
	all, err := o.Projects(bg)
	if err != nil {
		t.Errorf("list: %v", err)
	}
	ids, servers, access := map[keys.KeyID]bool{}, map[string]bool{}, map[keys.AccessKey]bool{}
	for _, p := range all {
		active := 0
		for _, k := range p.Keys {
			if ids[k.ID] || servers[k.ServerPEM] {
				t.Errorf("key %s or its server pair is there twice", k.ID)
			}
			ids[k.ID], servers[k.ServerPEM] = true, true
			if k.State == keys.Active {
				active++
			}
		}
		if active > 1 || p.Live() > 2 {
			t.Errorf("project %s has %d active of %d keys", p.ASPID, active, p.Live())
		}
		for _, c := range p.Credentials {
			if access[c.AccessKey] {
				t.Errorf("access key %s is there twice", c.AccessKey)
			}
			access[c.AccessKey] = true
		}
	}
}

// TestTwoManagersSeeEachOther through files, as a command does beside a proxy.
func TestTwoManagersSeeEachOther(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	first, second := officeOn(t, must(filestore.Open(dir))), officeOn(t, must(filestore.Open(dir)))
	first.addProject(t, alice)
	key := second.addKey(t, alice, 0, 0)
	if got := must(first.Key(bg, key.ID)); got.State != keys.Active {
		t.Errorf("got %+v", got)
	}
	must(first.SuspendProject(bg, operator, alice))
	if p := must(second.Project(bg, alice)); !p.Suspended {
		t.Error("the other one does not see the suspension")
	}
	third := officeOn(t, must(filestore.Open(dir)))
	if p := must(third.Project(bg, alice)); !p.Suspended || len(p.Keys) != 1 {
		t.Errorf("opened anew: %+v", p)
	}
}

// hasNoSecrets looks into every file of a folder.
func hasNoSecrets(t *testing.T, dir string) {
	t.Helper()
	files := must(os.ReadDir(dir))
	if len(files) == 0 {
		t.Fatal("there are no files")
	}
	for _, f := range files {
		text := must(os.ReadFile(filepath.Join(dir, f.Name())))
		for number := range 5 {
			if form := privateHalfIn(text, serverKey(number)); form != "" {
				t.Errorf("%s has the private half of key %d: %s", f.Name(), number, form)
			}
		}
	}
}
