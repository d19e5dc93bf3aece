package config

import "strings"

// The names of each mode in config.toml, in the order of its constants.
const (
	tlsModes      = "local files acme"
	storeKinds    = "file"
	sourceKinds   = "file passphrase-file passphrase-env"
	requestModes  = "encrypted plain either"
	responseModes = "encrypted plain match"
)

// TLSMode says where the listener's certificate comes from. The zero value is
// invalid.
type TLSMode uint8

// The values of tls.mode.
const (
	TLSLocal TLSMode = iota + 1 // an own CA beside the store, for trying out
	TLSFiles                    // TLS.CertFile and TLS.KeyFile
	TLSACME                     // an ACME server
)

// String is the mode as config.toml writes it.
func (m TLSMode) String() string { return nameOf(tlsModes, m) }

// StoreKind says which store is meant. The zero value is invalid.
type StoreKind uint8

// The schemes of store.url.
const (
	StoreFile StoreKind = iota + 1 // a folder
)

// String is the kind as config.toml writes it.
func (k StoreKind) String() string { return nameOf(storeKinds, k) }

// SourceKind says what kind of thing a master key comes from. The zero value is
// invalid.
type SourceKind uint8

// The schemes of master_key.source.
const (
	SourceFile           SourceKind = iota + 1 // a key file
	SourcePassphraseFile                       // a file that holds a passphrase
	SourcePassphraseEnv                        // an environment variable that holds a passphrase
)

// String is the kind as config.toml writes it.
func (k SourceKind) String() string { return nameOf(sourceKinds, k) }

// BodyMode is the form of the bodies in one direction of a route. It has no String:
// its names are requestModes or responseModes. The zero value is invalid.
type BodyMode uint8

// The values of a route's request and response.
const (
	BodyEncrypted BodyMode = iota + 1
	BodyPlain
	BodyEither // a request may have either form, and its response has the same
)

func nameOf[M ~uint8](names string, m M) string {
	all := strings.Fields(names)
	if m == 0 || int(m) > len(all) {
		return "invalid"
	}
	return all[m-1]
}

// modeOf is the inverse of nameOf. It returns 0 for an unknown name.
func modeOf[M ~uint8](names, name string) M {
	for i, n := range strings.Fields(names) {
		if n == name {
			return M(i + 1)
		}
	}
	return 0
}
