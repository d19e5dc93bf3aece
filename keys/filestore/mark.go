package filestore

import (
	"errors"

	"golang.org/x/sys/unix"
)

// mark is what a file system says of a file without reading it. Every write, a
// change of mode and a replacement give another mark, unless two of them follow
// within the grain of the clock. The time is that of the inode's change: unlike
// the time of modification no program can set it back. The zero mark is that of
// no file.
type mark struct {
	device, inode uint64
	mode          uint32
	size          int64
	sec, nsec     int64
}

// markOf does not follow a link in the last part of path. What cannot be looked
// at has the zero mark.
func markOf(path string) mark {
	var is unix.Stat_t
	err := unix.Lstat(path, &is)
	for errors.Is(err, unix.EINTR) {
		err = unix.Lstat(path, &is)
	}
	if err != nil {
		return mark{}
	}
	sec, nsec := is.Ctim.Unix()
	return mark{uint64(is.Dev), is.Ino, uint32(is.Mode), is.Size, sec, nsec}
}
