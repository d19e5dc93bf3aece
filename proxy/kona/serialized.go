package kona

import "bytes"

// serialized reads an object that is a JWE of the JSON serialization and has no other
// members. It leaves any other object unread.
func (w *walker) serialized() bool {
	s, ciphertext, enc := w.scanner, false, false
	if !s.expect('{') {
		return false
	}
	for more := true; more; {
		name, ok := s.name()
		if !ok || !s.expect(':') || !isJWEMember(string(name)) {
			return false
		}
		s.space()
		value := s.rest
		more = s.skipValue()
		value = value[:len(value)-len(s.rest)]
		ciphertext = ciphertext || string(name) == "ciphertext"
		enc = enc || namesEnc(string(name), value)
	}
	if ciphertext && enc {
		w.scanner = s
	}
	return ciphertext && enc
}

// isJWEMember reports whether RFC 7516 §7.2.1 or §7.2.2 has a member of that name.
func isJWEMember(name string) bool {
	switch name {
	case "protected", "unprotected", "header", "recipients", "encrypted_key", "iv", "aad", "ciphertext", "tag":
		return true
	}
	return false
}

// namesEnc reports whether a member is a header that names a content encryption.
func namesEnc(name string, value []byte) bool {
	switch name {
	case "protected":
		quoted, ok := (&scanner{rest: value}).quoted()
		return ok && isJWEHeader(quoted[1:len(quoted)-1])
	case "unprotected", "header", "recipients":
		return bytes.Contains(value, []byte(`"enc"`))
	}
	return false
}
