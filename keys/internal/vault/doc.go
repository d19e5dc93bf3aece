// Package vault is a store opened under its master key, and the audit trail on it.
//
// A Vault makes commits: each one carries its audit entry, and happens whole or not
// at all. A View is the store at one revision, which a change is decided on. Records
// are readable JSON with one sealed part; a Project is such a record opened with its
// secrets, which no package outside keys can hold.
package vault
