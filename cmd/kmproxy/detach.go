package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"syscall"
	"time"

	"kmproxy/cmd/internal/logqueue"
)

// flushTime is how long the end of a service waits for the readers of its output.
const flushTime = time.Second

// logRoom bounds the log lines that wait for their reader.
func logRoom() logqueue.Limits { return logqueue.Limits{Lines: 16384, Bytes: 4 << 20} }

// detach makes the program independent of what reads its output: a reader that
// stalls, leaves or is full costs lines and nothing else.
func (e *env) detach() {
	e.detachLog()
	e.stdout = e.queued(e.stdout)
}

// detachLog is detach for stderr alone. A write to an output without a reader is an
// error from now on, and no longer ends the process by SIGPIPE.
func (e *env) detachLog() {
	signal.Ignore(syscall.SIGPIPE)
	e.stderr = e.queued(e.stderr)
}

func (e *env) queued(to io.Writer) io.Writer {
	q := logqueue.New(to, logRoom(), droppedLines)
	e.queues = append(e.queues, q)
	return q
}

// flush lets the queues write what they hold, for at most flushTime in all.
func (e *env) flush() {
	end := time.Now().Add(flushTime)
	for _, q := range e.queues {
		q.Close(time.Until(end))
	}
}

// logDrops is the number of log lines that were dropped so far.
func (e *env) logDrops() uint64 {
	if len(e.queues) == 0 {
		return 0
	}
	return e.queues[0].Dropped()
}

// droppedLines is the log line that reports how many are missing.
func droppedLines(n uint64) []byte {
	var line bytes.Buffer
	text := fmt.Sprintf("%d log lines were dropped", n)
	slog.New(slog.NewJSONHandler(&line, nil)).Warn(text, "lines", n)
	return line.Bytes()
}

// untilHangup ends the context also when the terminal is closed, unless nohup(1)
// started the program.
func untilHangup(ctx context.Context) (context.Context, context.CancelFunc) {
	if signal.Ignored(syscall.SIGHUP) {
		return context.WithCancel(ctx)
	}
	return signal.NotifyContext(ctx, syscall.SIGHUP)
}
