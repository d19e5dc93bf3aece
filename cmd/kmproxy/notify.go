package main

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

const notifyTime = time.Second

// notifier tells systemd how the service is (sd_notify(3)). Where nobody asked to
// be told it says nothing.
type notifier struct{ log *slog.Logger }

func (n notifier) ready()    { n.tell(daemon.SdNotifyReady) }
func (n notifier) stopping() { n.tell(daemon.SdNotifyStopping) }

// reloading must be followed by ready, whatever came of it.
func (n notifier) reloading() {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		n.log.Warn("systemd is not told of the reload", "error", err)
		return
	}
	n.tell(fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now.Nano()/1000))
}

// tell waits at most notifyTime: systemd may be slow to read, and serving does not
// depend on it.
func (n notifier) tell(state string) {
	sent := make(chan error, 1)
	go func() {
		_, err := daemon.SdNotify(false, state)
		sent <- err
	}()
	late := time.NewTimer(notifyTime)
	defer late.Stop()
	select {
	case err := <-sent:
		if err != nil {
			n.log.Warn("systemd is not told", "state", state, "error", err)
		}
	case <-late.C:
		n.log.Warn("systemd is not told in time", "state", state)
	}
}
