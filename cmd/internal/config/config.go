// Package config reads config.toml. It names every mistake at once, each with
// its line and key, and takes nothing that it does not know.
//
// A setting is a field here, its row in settings, its default in Default and
// its line in the shipped config.toml.
package config

import (
	"net/netip"
	"net/url"
	"time"
)

// Config is a whole, checked config. It is made by Load and Default; the
// zero value is not valid. Paths in it are absolute. It holds no secret: those
// come from the files and the environment that it names. It is safe for
// concurrent use as long as nobody changes it.
type Config struct {
	Listen    Listen
	TLS       TLS
	Upstream  Upstream
	Store     Store
	MasterKey MasterKey
	Admission Admission
	Limits    Limits
	Keys      Keys
	CEKCache  CEKCache
	Admin     Admin
	Routes    []Route // at least one, none twice

	origin origin
}

// Listen is the public listener.
type Listen struct {
	Address  string // HOST:PORT; no host: every address; port 0: any free one
	BasePath string // taken off before routes are matched; "" or "/…" without a slash at its end

	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed; masked; never IPv4 in IPv6
	ProxyProtocol  bool           // each of their connections begins with a PROXY header; TrustedProxies is not empty then
}

// TLS is what the public listener shows its clients.
type TLS struct {
	Mode         TLSMode
	Hostnames    []string // DNS names and IP addresses; may be empty in TLSFiles alone
	CertFile     string   // TLSFiles: set; else ""
	KeyFile      string   // TLSFiles: set; else ""
	ClientCAFile string   // "": no client certificates are asked for
	ACME         ACME
}

// ACME is where certificates come from in TLSACME.
type ACME struct {
	Directory  string // https URL; "": Let's Encrypt
	Email      string // "": none is given
	CARootFile string // "": the system's roots
	HTTPPort   int    // HTTP-01; 0: off
}

// Upstream is the plaintext service.
type Upstream struct {
	URL            *url.URL      // http or https, with a host; perhaps a path, nothing else. Or unix, whose path is a socket's
	URLs           []*url.URL    // not empty: several like it, which replace it; they differ in host, port and socket alone
	ServerName     string        // https only: of its certificate, and in SNI; "": the URL's host
	HealthPath     string        // "": nobody is asked; else GET of it is asked for
	HealthInterval time.Duration // more than 0
	MaxAnswerBytes int64
	Timeout        time.Duration // of a whole call, more than 0
	CAFile         string        // https only; "": the system's roots
	ClientCertFile string        // https only; both are set, or neither
	ClientKeyFile  string
}

// Servers are all that the config names, at least one.
func (u Upstream) Servers() []*url.URL {
	if len(u.URLs) > 0 {
		return u.URLs
	}
	return []*url.URL{u.URL}
}

// Store is where projects and keys are kept.
type Store struct {
	Place
	MaxStale time.Duration // a store that could not be followed for longer makes the proxy not ready; 0: never
}

// Place is where a store is.
type Place struct {
	Kind StoreKind
	Dir  string // StoreFile: its folder, which may not exist yet
}

// String is the store as config.toml writes it.
func (p Place) String() string { return p.Kind.String() + ":" + p.Dir }

// MasterKey is what seals the store.
type MasterKey struct {
	Source Source
}

// Admission is what a request must keep to.
type Admission struct {
	TimeZones    map[string]*time.Location // by what X-KM-Time-Zone says; at least one
	ClockSkew    time.Duration             // either way; 0: not a second of it
	ReplayWindow time.Duration             // 0: off; else at least twice ClockSkew
	MaxBodyBytes int64
}

// Limits are what one kmproxy holds at once.
type Limits struct {
	Connections           int
	ConnectionsPerAddress int   // of one IPv4 address or one IPv6 network of 64 bits
	BodyMemoryBytes       int64 // of requests and answers together
	ReplayRequests        int   // that are remembered; half of them for one project
	UpstreamCalls         int   // pending at the upstream; of one project no more than there is room left
}

// Keys bounds the life of crypto keys.
type Keys struct {
	MaxPerProject int           // not discarded ones
	Quiet         time.Duration // no discard for so long after the last use
}

// CEKCache is how content keys are remembered, if they are.
type CEKCache struct {
	Enabled     bool
	MaxAge      time.Duration
	MaxMessages int // under one content key
	MaxBytes    int64
	Entries     int // content keys; half of them for one project
}

// Admin is the plain HTTP listener for health and metrics.
type Admin struct {
	Address string // HOST:PORT, not the public one
}

// Route is one method and path that is let through.
type Route struct {
	Method        string
	Path          string // compared byte for byte, without Listen.BasePath
	Request       BodyMode
	Response      BodyMode
	PadBytes      int  // sealed plaintext is padded to a multiple of it; 0: off
	EncryptErrors bool // seal the upstream's non-2xx answers too

	ForwardHeaders []string // more of the caller's headers that go on to the upstream
}
