// Package ring is what requests read of projects and their keys: everything at one
// revision of the store, immutable and without locks.
//
// Open builds a Live, which follows its store; Live.Ring is the newest Ring, which a
// request takes once and keeps. New builds a single Ring of a snapshot. Nothing here
// writes to a store.
package ring
