package wire

import (
	"path/filepath"
	"time"

	"kmproxy/cmd/internal/config"
	"kmproxy/proxy/replay"
)

// replayFolder is beside the log of the store. Commands and backups leave it alone.
const replayFolder = "replay"

// newReplay lets one project have half of the replay memory.
func newReplay(entries int) *replay.Memory {
	return replay.New(replay.Limits{Entries: entries, PerProject: entries / 2})
}

// remember is the replay memory, unless it is switched off.
func (l *lasting) remember(window time.Duration) *replay.Memory {
	if window == 0 {
		return nil
	}
	return l.replay
}

// keepReplay gives the replay memory its folder, the first time that a config
// switches it on.
func (l *lasting) keepReplay(c config.Config) error {
	window := c.Admission.ReplayWindow
	if window == 0 || l.replay.Kept() {
		return nil
	}
	return l.replay.Keep(filepath.Join(c.Store.Dir, replayFolder), window, l.world.Now, l.log)
}
