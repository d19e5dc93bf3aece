package config

import "time"

// setting ties one key of the file to its field.
type setting struct {
	key  string
	read func(v any) []fault // sets the field, unless there is a fault
	show func() any          // what kind.show makes of the field
}

func bind[T any](key string, field *T, k kind[T]) setting {
	return setting{
		key: key,
		read: func(v any) []fault {
			value, faults := k.read(v)
			if faults == nil {
				*field = value
			}
			return faults
		},
		show: func() any { return k.show(*field) },
	}
}

// The bounds that more than one setting shares.
const (
	longestCall   = time.Hour
	longestSkew   = 24 * time.Hour
	longestWindow = 90 * 24 * time.Hour // of the replay memory
	longestLife   = 10 * 365 * 24 * time.Hour
)

// settings are all keys of the file but those of routes, in its order. Relative
// paths are taken from the folder dir on.
func settings(c *Config, dir string) []setting {
	return []setting{
		bind("listen.address", &c.Listen.Address, text(checkAddress)),
		bind("listen.base_path", &c.Listen.BasePath, text(checkBasePath)),
		bind("listen.trusted_proxies", &c.Listen.TrustedProxies, networks()),
		bind("listen.proxy_protocol", &c.Listen.ProxyProtocol, yesOrNo()),
		bind("tls.mode", &c.TLS.Mode, mode[TLSMode](tlsModes)),
		bind("tls.hostnames", &c.TLS.Hostnames, list(checkHost)),
		bind("tls.cert_file", &c.TLS.CertFile, file(dir)),
		bind("tls.key_file", &c.TLS.KeyFile, file(dir)),
		bind("tls.client_ca_file", &c.TLS.ClientCAFile, file(dir)),
		bind("tls.acme.directory", &c.TLS.ACME.Directory, text(checkDirectory)),
		bind("tls.acme.email", &c.TLS.ACME.Email, text(checkEmail)),
		bind("tls.acme.ca_root_file", &c.TLS.ACME.CARootFile, file(dir)),
		bind("tls.acme.http_port", &c.TLS.ACME.HTTPPort, integer(0, 65535)),
		bind("upstream.url", &c.Upstream.URL, upstreamURL(dir)),
		bind("upstream.urls", &c.Upstream.URLs, upstreamURLs(dir)),
		bind("upstream.server_name", &c.Upstream.ServerName, text(checkServerName)),
		bind("upstream.health_path", &c.Upstream.HealthPath, text(checkHealthPath)),
		bind("upstream.health_interval", &c.Upstream.HealthInterval, duration(100*time.Millisecond, longestCall)),
		bind("upstream.max_answer", &c.Upstream.MaxAnswerBytes, size(1<<10, 64<<20)),
		bind("upstream.timeout", &c.Upstream.Timeout, duration(time.Millisecond, longestCall)),
		bind("upstream.ca_file", &c.Upstream.CAFile, file(dir)),
		bind("upstream.client_cert_file", &c.Upstream.ClientCertFile, file(dir)),
		bind("upstream.client_key_file", &c.Upstream.ClientKeyFile, file(dir)),
		bind("store.url", &c.Store.Place, store(dir)),
		bind("store.max_stale", &c.Store.MaxStale, duration(0, longestLife)),
		bind("master_key.source", &c.MasterKey.Source, source(dir)),
		bind("admission.time_zones", &c.Admission.TimeZones, zones()),
		bind("admission.clock_skew", &c.Admission.ClockSkew, duration(0, longestSkew)),
		bind("admission.replay_window", &c.Admission.ReplayWindow, duration(0, longestWindow)),
		bind("admission.max_body", &c.Admission.MaxBodyBytes, size(1<<10, 64<<20)),
		bind("limits.connections", &c.Limits.Connections, integer(64, 1_000_000)),
		bind("limits.connections_per_address", &c.Limits.ConnectionsPerAddress, integer(64, 1_000_000)),
		bind("limits.body_memory", &c.Limits.BodyMemoryBytes, size(16<<20, 64<<30)),
		bind("limits.replay_requests", &c.Limits.ReplayRequests, integer(1000, 1_000_000_000)),
		bind("limits.upstream_calls", &c.Limits.UpstreamCalls, integer(2, 100_000)),
		bind("keys.max_per_project", &c.Keys.MaxPerProject, integer(1, 100)),
		bind("keys.quiet", &c.Keys.Quiet, duration(0, longestLife)),
		bind("cek_cache.enabled", &c.CEKCache.Enabled, yesOrNo()),
		bind("cek_cache.max_age", &c.CEKCache.MaxAge, duration(time.Second, longestSkew)),
		bind("cek_cache.max_messages", &c.CEKCache.MaxMessages, integer(2, 1<<30)),
		bind("cek_cache.max_bytes", &c.CEKCache.MaxBytes, size(1<<10, 64<<30)),
		bind("cek_cache.entries", &c.CEKCache.Entries, integer(2, 100_000)),
		bind("admin.address", &c.Admin.Address, text(checkAddress)),
	}
}

// routeSettings are the keys of one [[route]].
func routeSettings(r *Route) []setting {
	return []setting{
		bind("method", &r.Method, text(checkMethod)),
		bind("path", &r.Path, text(checkRoutePath)),
		bind("forward_headers", &r.ForwardHeaders, list(checkForwarded)),
		bind("request", &r.Request, mode[BodyMode](requestModes)),
		bind("response", &r.Response, mode[BodyMode](responseModes)),
		bind("pad", &r.PadBytes, integer(0, 64<<10)),
		bind("encrypt_errors", &r.EncryptErrors, yesOrNo()),
	}
}
