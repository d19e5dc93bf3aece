package config

import (
	"net/url"
	"path/filepath"
	"time"
)

// Default is what an empty config.toml in the folder dir says, and the shipped
// one too. dir is absolute.
func Default(dir string) Config {
	return Config{
		Listen: Listen{Address: ":8443"},
		TLS: TLS{
			Mode:      TLSLocal,
			Hostnames: []string{"localhost"},
			ACME:      ACME{HTTPPort: 80},
		},
		Upstream: Upstream{
			URL:     &url.URL{Scheme: "http", Host: "127.0.0.1:9080"},
			Timeout: 10 * time.Second,

			HealthInterval: 2 * time.Second,
			MaxAnswerBytes: 8 << 20,
		},
		Store:     Store{Place: Place{Kind: StoreFile, Dir: filepath.Join(dir, "data")}},
		MasterKey: MasterKey{Source{Kind: SourceFile, Path: filepath.Join(dir, "data", "master.key")}},
		Admission: Admission{
			TimeZones: map[string]*time.Location{
				"UTC": time.FixedZone("UTC", 0),
				"GMT": time.FixedZone("GMT", 0),
				"KST": time.FixedZone("KST", 9*60*60),
			},
			ClockSkew:    5 * time.Minute,
			ReplayWindow: 10 * time.Minute,
			MaxBodyBytes: 1 << 20,
		},
		Limits:   Limits{Connections: 16384, ConnectionsPerAddress: 8192, BodyMemoryBytes: 256 << 20, ReplayRequests: 4_000_000, UpstreamCalls: 1024},
		CEKCache: CEKCache{MaxAge: 5 * time.Minute, MaxMessages: 10_000, MaxBytes: 64 << 20, Entries: 1000},
		Keys:     Keys{MaxPerProject: 2, Quiet: 7 * 24 * time.Hour},
		Admin:    Admin{Address: "127.0.0.1:9443"},
		Routes:   []Route{defaultRoute("POST", "/api/v1/bankaccounts/ars/auth")},
	}
}

// defaultRoute is a route that says nothing but what it must.
func defaultRoute(method, path string) Route {
	return Route{
		Method:   method,
		Path:     path,
		Request:  BodyEither,
		Response: BodyEither,
		PadBytes: 256,

		ForwardHeaders: []string{},
	}
}
