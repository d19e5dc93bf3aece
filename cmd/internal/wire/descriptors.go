package wire

import (
	"log/slog"

	"kmproxy/cmd/internal/config"
)

// descriptorsKept are for the store, the admin listener, the log and name
// look-ups: no crowd of callers can take them.
const descriptorsKept = 64

// fitDescriptors returns limits that the process's descriptors suffice for. A
// connection takes one, and so does a call to the upstream. If they do not
// suffice for what the config says, both become fewer and the log says so.
func fitDescriptors(l config.Limits, log *slog.Logger) config.Limits {
	need := l.Connections + l.UpstreamCalls + descriptorsKept
	have, known := raiseDescriptors(need)
	if !known || have >= need {
		return l
	}
	fit := shrink(l, have-descriptorsKept)
	log.Warn("the descriptor limit is lower than the config needs: fewer connections are taken; raise it (ulimit -n, LimitNOFILE) or lower limits.connections",
		"limit", have, "needed", need, "connections", fit.Connections, "connections_configured", l.Connections, "upstream_calls", fit.UpstreamCalls)
	return fit
}

// shrink shares room out: at most a third of it is for calls to the upstream.
func shrink(l config.Limits, room int) config.Limits {
	const leastCalls, leastConnections = 2, 4
	calls := max(min(l.UpstreamCalls, room/3), leastCalls)
	connections := max(min(l.Connections, room-calls), leastConnections)
	l.ConnectionsPerAddress = max(1, int(int64(l.ConnectionsPerAddress)*int64(connections)/int64(l.Connections)))
	l.UpstreamCalls, l.Connections = calls, connections
	return l
}
