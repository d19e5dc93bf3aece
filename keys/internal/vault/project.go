package vault

import (
	"slices"
	"time"

	"kmproxy/crypto/sensitive"
	"kmproxy/keys"
)

// Project is a project with its secrets, as a change works on it.
type Project struct {
	keys.Project
	Secrets
	version uint64 // of the record it was read from; 0: it has none yet
}

// NewProject is a project that has no record yet, without credentials and keys.
func NewProject(p keys.Project) Project {
	return Project{Project: p, Secrets: noSecrets()}
}

// AddCredential gives the project another access key with its secret.
func (p *Project) AddCredential(c keys.Credential, secret sensitive.Bytes) {
	p.Credentials = append(p.Credentials, c)
	p.credentials[c.AccessKey] = secret
}

// AddKey gives the project another key with its server's private half in PKCS#8.
func (p *Project) AddKey(k keys.Key, private sensitive.Bytes) {
	p.Keys = append(p.Keys, k)
	p.private[k.ID] = private
}

// Shown is the project without its secrets. It shares nothing with p that may
// still change.
func (p Project) Shown() keys.Project {
	out := p.Project
	out.Credentials, out.Keys = slices.Clone(p.Credentials), slices.Clone(p.Keys)
	return out
}

// shed gives up for good what is over: the private halves of discarded keys, and
// the pairs of access key and secret that have ended. It reports whether there
// was any.
func (p *Project) shed(now time.Time) (gone bool) {
	for _, k := range p.Keys {
		if private, there := p.private[k.ID]; there && k.State == keys.Discarded {
			private.Wipe()
			delete(p.private, k.ID)
			gone = true
		}
	}
	p.Credentials = slices.DeleteFunc(p.Credentials, func(c keys.Credential) bool {
		over := keys.Reached(c.ExpiresAt, now)
		if over {
			delete(p.credentials, c.AccessKey)
			gone = true
		}
		return over
	})
	return gone
}
