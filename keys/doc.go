// Package keys is the vocabulary of projects and crypto keys: their identifiers,
// the states of a key and the moves between them, and the contract of a Store.
// Nothing here changes or opens a store.
//
//   - Package manage makes every change, each one atomic and under an actor's name.
//   - Package ring is what requests read: everything at one revision, immutable
//     and without locks.
//   - Package reseal brings a store under another master key.
//   - Packages filestore and memstore keep the records, and backup writes all of
//     them to one file.
package keys
