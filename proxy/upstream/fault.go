package upstream

// Fault is an answer that is not taken: it breaks HTTP/1.1's framing or grammar, or
// one of the bounds here. Its text says what is wrong and quotes nothing that was
// received. Its connection is not used again.
type Fault string

// Error implements error.
func (f Fault) Error() string { return "its answer " + string(f) }

// The faults of an answer's head.
const (
	faultLarge      Fault = "has headers of more bytes than kmproxy takes"
	faultInterim    Fault = "comes behind too many interim answers"
	faultSwitch     Fault = "switches to another protocol"
	faultLineEnd    Fault = "has a header line that does not end in CR LF"
	faultVersion    Fault = "begins with no HTTP version, or another than 1.0 and 1.1"
	faultStatus     Fault = "has a status line without a status of three digits"
	faultReason     Fault = "has a control character in its status line"
	faultFold       Fault = "has a folded header line, or a blank line before its headers"
	faultColon      Fault = "has a header line without a colon"
	faultName       Fault = "has a header name that is empty or holds a blank or another sign that no name has"
	faultValue      Fault = "has a control character in a header value"
	faultLength     Fault = "has a Content-Length that is no plain decimal number"
	faultLengths    Fault = "has more than one Content-Length, and they differ"
	faultBothFrames Fault = "has both Transfer-Encoding and Content-Length"
	faultCoding     Fault = "has a Transfer-Encoding other than chunked"
	faultOldCoding  Fault = "has a Transfer-Encoding and is of HTTP/1.0"
)

// The faults of a body in chunks.
const (
	faultChunkSize Fault = "has a chunk without a proper size"
	faultChunkExt  Fault = "has chunk extensions with control characters, or too many of them"
	faultChunkEnd  Fault = "has a chunk that is longer or shorter than its size"
	faultTrailers  Fault = "has more trailers than kmproxy takes"
)
