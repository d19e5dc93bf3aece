package jwe

// The inner steps, for the vectors that test them alone.
var (
	Unwrap     = unwrap
	DecryptKey = decryptKey
	OpenGCM    = openGCM

	ParseHeader = parseHeader
	Usual       = usual
)

// Rejoin writes a message down again, and tells whether a flaw was found in it.
func (m Message) Rejoin() (token string, flawed bool) {
	content, tag := m.sealed[:len(m.sealed)-tagBytes], m.sealed[len(m.sealed)-tagBytes:]
	token = string(m.aad)
	for _, part := range [][]byte{m.key, m.iv, content, tag} {
		token += "." + strict.EncodeToString(part)
	}
	return token, m.flaw != ""
}

// Wear leaves a Sealer one message.
func (s *Sealer) Wear() { s.seals.Store(maxSeals - 1) }
