// Package filestore is a keys.Store in one folder on a local disk, shared by any
// number of processes.
//
// # Files
//
//	DIR/log.jsonl  a header line, then one commit a line
//	DIR/head.json  how far the log is acknowledged
//	DIR/lock       flock(2) of the writer; empty, never removed
//
// The folder has mode 0700 and the files 0600. Every line of both files ends in
// a SHA-256 sum over the line and, in the log, over the sum of the line before:
// head.json, which repeats the last sum, thereby pins the whole log. The sums
// tell damage, not forgery: who may write the folder can make them anew.
//
//	{"kmproxy_store":1,"generation":2,"rev":8,"at":"…","kept":1,"replaces":"…","sum":"…"}
//	{"rev":3,"set":{"a":{…}},"sum":"…"}                            kept by a rewrite
//	{"rev":9,"at":"…","set":{"b":{…}},"del":["a"],"sum":"…"}       a commit
//
//	{"kmproxy_head":1,"generation":2,"rev":9,"length":512,"last":"…","sum":"…"}
//
// # Commits
//
// A commit is appended, synced, and then acknowledged by replacing head.json.
// What stands in the log past the length in head.json was never acknowledged:
// readers ignore it, so that nobody acts on a commit that a power cut or a full
// disk could still take back, and the next commit cuts it off.
//
// A log with more superseded than live bytes, or with a value that must be
// erased, is rewritten instead: a new log of the next generation holds the live
// entries, each under its own revision, and says which log it replaces. Renaming
// it over the old one is the commit. A new store begins the same way, as the
// rewrite of nothing.
//
// What a crash leaves, by the last step that was done:
//
//	step                                  the store is then
//	first commit
//	  folder, lock                        empty
//	  log.jsonl.tmp, head.json.tmp        empty; both are removed
//	  log.jsonl renamed                   committed: generation 1 replaces nothing
//	  head.json renamed                   committed
//	append
//	  part of the line, or holes in it    as before; the tail is cut off
//	  the whole line, synced or not       as before; the tail is cut off
//	  head.json.tmp                       as before; both are removed
//	  head.json renamed                   committed
//	rewrite
//	  log.jsonl.tmp, head.json.tmp        as before; both are removed
//	  log.jsonl renamed                   committed: it replaces what head.json names
//	  head.json renamed                   committed
//
// "Removed" and "cut off" are done by the next commit, under the lock; it also
// writes the head.json that is missing or behind, and syncs the folder if the last
// commit was another process's, which may have died before it did. After a power cut
// a rename that was not synced yet may be undone: that is the row above it.
//
// Anything else is keys.ErrDamaged, for Load and for Commit, and stays as it
// is. Two whole commits past head.json are too: a crash leaves one at most, so
// head.json must be an old copy. A store that is open does not read again what it
// has verified; each call looks at head.json and at both ends of the log.
//
// # Limits
//
// The folder must be on a file system with flock, atomic renames and a working
// fsync, of folders too. Erased bytes are freed, not overwritten: what the disk
// does with them is up to the disk.
package filestore
