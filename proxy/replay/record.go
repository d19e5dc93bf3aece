package replay

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// A file is a header and then records, all of one size, so that a damaged one hides
// none of the others:
//
//	0  id of the request
//	16 number of the project
//	20 Unix time in milliseconds, 6 bytes
//	26 kind, 2 bytes
//	28 CRC-32C of the 28 bytes before
//
// Numbers are big-endian. The sum detects damage, not forgery.
const recordBytes = 32

var header = fmt.Sprintf("%-*s\n", recordBytes-1, "kmproxy replay memory 1")

// kind says what a record means. The zero value is invalid.
type kind uint16

const (
	claimed  kind = iota + 1
	released      // the claim of that entry and moment in a file of the same process
)

// record is a line of a file. It is comparable.
type record struct {
	entry entry
	at    int64 // Unix milliseconds, below 2^48
	kind  kind
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) } // made once by the library

func (r record) appendTo(b []byte) []byte {
	begin := len(b)
	b = append(b, r.entry.id[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(r.entry.project))
	b = binary.BigEndian.AppendUint64(b, uint64(max(0, r.at))<<16|uint64(r.kind))
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[begin:], castagnoli()))
}

// parseRecord reads recordBytes bytes.
func parseRecord(b []byte) (r record, ok bool) {
	sum := recordBytes - crc32.Size
	if crc32.Checksum(b[:sum], castagnoli()) != binary.BigEndian.Uint32(b[sum:]) {
		return record{}, false
	}
	n := copy(r.entry.id[:], b)
	r.entry.project = number(binary.BigEndian.Uint32(b[n:]))
	moment := binary.BigEndian.Uint64(b[n+4:])
	r.at, r.kind = int64(moment>>16), kind(moment&0xffff)
	return r, r.kind == claimed || r.kind == released
}
