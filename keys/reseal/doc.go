// Package reseal brings a store under another master key: a Job re-seals every
// record in many commits, can be interrupted at any point, and continues where it
// was.
package reseal
