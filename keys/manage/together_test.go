package manage_test

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
	"kmproxy/keys/keystest"
	"kmproxy/keys/manage"
	"kmproxy/keys/memstore"
)

// TestTogether: eight at once, through two managers, on one store.
func TestTogether(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		store := memstore.New()
		together(t, keystest.OfficeOn(t, store), keystest.OfficeOn(t, store))
	})
	t.Run("files", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "store")
		together(t, keystest.OfficeOn(t, keystest.Must(filestore.Open(dir))), keystest.OfficeOn(t, keystest.Must(filestore.Open(dir))))
		hasNoSecrets(t, dir)
	})
}

func together(t *testing.T, first, second keystest.Office) {
	const workers, pairs = 8, 5
	first.AddProject(t, keystest.Alice)
	var made, others atomic.Int64
	var wg sync.WaitGroup
	for worker := range workers {
		o := []keystest.Office{first, second}[worker%2]
		wg.Go(func() {
			id := keys.ASPID(fmt.Sprintf("Worker%09d", worker))
			if _, err := o.CreateProject(keystest.Background, keystest.Operator, manage.NewProject{ASPID: id}); err != nil {
				t.Errorf("worker %d: %v", worker, err)
			}
			for pair := range pairs {
				n := keystest.NewKey(keystest.Alice, (pair+worker)%pairs, []keys.State{0, keys.Active, keys.Staged}[(pair+worker)%3])
				n.ID = keystest.KeyID(100*worker + pair)
				_, err := o.CreateKey(keystest.Background, keystest.Operator, n)
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
	if all := keystest.Must(second.Projects(keystest.Background)); len(all) != 1+workers {
		t.Errorf("%d projects, want %d", len(all), 1+workers)
	}
	if ks := keystest.Must(second.Keys(keystest.Background, keystest.Alice)); int64(len(ks)) != made.Load() || made.Load() != 2 || others.Load() != workers*pairs-2 {
		t.Errorf("%d keys are there, %d were said to be made, %d were refused", len(ks), made.Load(), others.Load())
	}
}

// wantSound checks what holds at any moment, whoever is acting.
func wantSound(t *testing.T, o keystest.Office) {
	t.Helper()
	all, err := o.Projects(keystest.Background)
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
	first, second := keystest.OfficeOn(t, keystest.Must(filestore.Open(dir))), keystest.OfficeOn(t, keystest.Must(filestore.Open(dir)))
	first.AddProject(t, keystest.Alice)
	key := second.AddKey(t, keystest.Alice, 0, 0)
	if got := keystest.Must(first.Key(keystest.Background, key.ID)); got.State != keys.Active {
		t.Errorf("got %+v", got)
	}
	keystest.Must(first.SuspendProject(keystest.Background, keystest.Operator, keystest.Alice))
	if p := keystest.Must(second.Project(keystest.Background, keystest.Alice)); !p.Suspended {
		t.Error("the other one does not see the suspension")
	}
	third := keystest.OfficeOn(t, keystest.Must(filestore.Open(dir)))
	if p := keystest.Must(third.Project(keystest.Background, keystest.Alice)); !p.Suspended || len(p.Keys) != 1 {
		t.Errorf("opened anew: %+v", p)
	}
}

// hasNoSecrets looks into every file of a folder.
func hasNoSecrets(t *testing.T, dir string) {
	t.Helper()
	files := keystest.Must(os.ReadDir(dir))
	if len(files) == 0 {
		t.Fatal("there are no files")
	}
	for _, f := range files {
		text := keystest.Must(os.ReadFile(filepath.Join(dir, f.Name())))
		for number := range 5 {
			if form := privateHalfIn(text, keystest.ServerKey(number)); form != "" {
				t.Errorf("%s has the private half of key %d: %s", f.Name(), number, form)
			}
		}
	}
}
