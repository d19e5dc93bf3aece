package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kmproxy/keys"
	"kmproxy/keys/filestore"
)

// scene is a store that the program made: A has an active key; B's is suspended
// and was active when the older copy was taken. Its seven changes are the CA's,
// two projects', two keys', the suspension of B's key, and A's new name for
// callers, a second access key.
type scene struct {
	*killer
	good, early map[string][]byte     // files of the store, at the end and before the last changes
	old         map[string]keys.Entry // records at the time of early
	access      map[string]string     // by ASP id, what calls are made with
	secret      map[string]string
	key         map[string]string
	admin       string
}

func newScene(t *testing.T, k *killer) *scene {
	t.Helper()
	s := &scene{killer: k, access: map[string]string{}, secret: map[string]string{}, key: map[string]string{}}
	s.configure(t)
	s.serve(t).stop(t) // makes the CA
	for _, id := range []string{aspA, aspB} {
		issued := s.must(t, "project", "create", "--asp-id", id)
		s.access[id], s.secret[id] = issued["access_key"].(string), issued["secret_key"].(string)
	}
	for _, id := range []string{aspA, aspB} {
		key := s.must(t, "key", "create", "--asp-id", id)
		s.key[id] = key["key_id"].(string)
		if err := os.WriteFile(filepath.Join(s.dir, s.key[id]+".pem"), []byte(key["server_public_key"].(string)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.early, s.old = s.files(t), s.load(t).Entries
	s.must(t, "key", "suspend", s.key[aspB])
	s.must(t, "project", "rotate-secret", aspA)
	s.good = s.files(t)
	return s
}

func (s *scene) configure(t *testing.T) {
	t.Helper()
	s.admin = freeAddress(t)
	text := fmt.Sprintf("[listen]\naddress = %q\n[admin]\naddress = %q\n[upstream]\nurl = \"http://%s\"\n", freeAddress(t), s.admin, serveARS(t))
	if err := os.WriteFile(filepath.Join(s.dir, "config.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *scene) store(name string) string { return filepath.Join(s.dir, "data", name) }

func (s *scene) wantWhole(t *testing.T) {
	t.Helper()
	if n := s.must(t, "audit", "verify")["entries"]; n != 7.0 {
		t.Fatalf("%v entries", n)
	}
}

// files are the store's, apart from the lock and the ledgers.
func (s *scene) files(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, name := range []string{"log.jsonl", "head.json"} {
		content, err := os.ReadFile(s.store(name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		out[name] = content
	}
	return out
}

func (s *scene) write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(s.store(name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// putBack makes the store as it was before it was tampered with.
func (s *scene) putBack(t *testing.T) {
	t.Helper()
	for name, content := range s.good {
		s.write(t, name, content)
	}
}

func (s *scene) load(t *testing.T) keys.Snapshot {
	t.Helper()
	store, err := filestore.Open(s.store(""))
	if err != nil {
		t.Fatal(err)
	}
	snap, err := store.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

func (s *scene) value(t *testing.T, name string) []byte {
	t.Helper()
	value := s.load(t).Entries[name].Value
	if value == nil {
		t.Fatalf("there is no %s", name)
	}
	return bytes.Clone(value)
}

// commit writes past every manager, with sums that fit.
func (s *scene) commit(t *testing.T, changes ...keys.Change) {
	t.Helper()
	store, err := filestore.Open(s.store(""))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Commit(t.Context(), s.load(t).Revision, changes...); err != nil {
		t.Fatal(err)
	}
}

// reseal changes the lines of the log and makes all sums, and head.json, anew.
func (s *scene) reseal(t *testing.T, change func([]string) []string) {
	t.Helper()
	var contents []string
	for line := range strings.Lines(string(s.good["log.jsonl"])) {
		contents = append(contents, line[:strings.LastIndex(line, `,"sum":"`)])
	}
	log, last := "", ""
	for _, content := range change(contents) {
		last = fmt.Sprintf("%x", sha256.Sum256([]byte(last+content)))
		log += content + `,"sum":"` + last + "\"}\n"
	}
	var rev struct{ Rev, Generation int }
	final := log[strings.LastIndex(strings.TrimSpace(log), "\n")+1:]
	for _, text := range []string{string(s.good["head.json"]), final} { // the last line has no generation
		if err := json.Unmarshal([]byte(text), &rev); err != nil {
			t.Fatal(err)
		}
	}
	head := fmt.Sprintf(`{"kmproxy_head":1,"generation":%d,"rev":%d,"length":%d,"last":"%s"`, rev.Generation, rev.Rev, len(log), last)
	s.write(t, "log.jsonl", []byte(log))
	s.write(t, "head.json", fmt.Appendf(nil, "%s,\"sum\":\"%x\"}\n", head, sha256.Sum256([]byte(head))))
}
