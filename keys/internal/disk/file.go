package disk

import (
	"io"
	"os"
)

// File is an open file. What changes its content is below; the rest is os.File's.
type File struct {
	*os.File
	disk Disk
}

// Write is os.File.Write.
func (f *File) Write(b []byte) (int, error) {
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, err
	}
	if err := f.disk.before(Op{Act: Write, Path: f.Name(), At: at, Data: b}); err != nil {
		return 0, err
	}
	return f.File.Write(b)
}

// WriteAt is os.File.WriteAt.
func (f *File) WriteAt(b []byte, at int64) (int, error) {
	if err := f.disk.before(Op{Act: Write, Path: f.Name(), At: at, Data: b}); err != nil {
		return 0, err
	}
	return f.File.WriteAt(b, at)
}

// Truncate is os.File.Truncate.
func (f *File) Truncate(size int64) error {
	if err := f.disk.before(Op{Act: Truncate, Path: f.Name(), At: size}); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

// Sync is os.File.Sync.
func (f *File) Sync() error {
	if err := f.disk.before(Op{Act: Sync, Path: f.Name()}); err != nil {
		return err
	}
	if f.disk.Unsynced {
		return nil
	}
	return f.File.Sync()
}
