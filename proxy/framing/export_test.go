package framing

// Clean reports whether all that was read has one end beyond doubt.
func (w *Watcher) Clean() bool { return w.clean() }
