// Command primitives measures what no gateway can do without, in microseconds of CPU:
//
//	primitives rsa        one RSA-2048 private operation (OAEP with SHA-256)
//	primitives message N  HMAC, base64 and AES-GCM of an encrypted request of N bytes
//	primitives token N    the HMAC over an encrypted request of N bytes, and its comparison
//	primitives answer N   AES-GCM and base64 of an encrypted answer of N bytes
package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log"
	"os"
	"strconv"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("primitives rsa | token BYTES | message BYTES | answer BYTES")
	}
	size := 0
	if len(os.Args) > 2 {
		var err error
		if size, err = strconv.Atoi(os.Args[2]); err != nil {
			log.Fatal(err)
		}
	}
	works := map[string]func(int) func() error{"rsa": unwrap, "token": token, "message": open, "answer": seal}
	work, ok := works[os.Args[1]]
	if !ok {
		log.Fatalf("%s is not one of them", os.Args[1])
	}
	fmt.Printf("%.2f\n", measure(work(size)))
}

// measure is the CPU time of one run, of as many as take half a second.
func measure(work func() error) float64 {
	runs, begin := 0, cpu()
	for cpu()-begin < time.Second/2 {
		for range 16 {
			if err := work(); err != nil {
				log.Fatal(err)
			}
		}
		runs += 16
	}
	return float64((cpu() - begin).Nanoseconds()) / 1e3 / float64(runs)
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		log.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func unwrap(int) func() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		log.Fatal(err)
	}
	sealed, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &key.PublicKey, make([]byte, 32), nil)
	if err != nil {
		log.Fatal(err)
	}
	return func() error {
		_, err := rsa.DecryptOAEP(sha256.New(), rand.Reader, key, sealed, nil)
		return err
	}
}

func token(size int) func() error {
	body := make([]byte, base64.RawURLEncoding.EncodedLen(size)+500) // header, encrypted key, IV and tag
	secret, sent := []byte("a secret"), base64.StdEncoding.EncodeToString(make([]byte, sha256.Size))
	return func() error {
		claimed, err := base64.StdEncoding.DecodeString(sent)
		mac := hmac.New(sha256.New, secret)
		mac.Write(body)
		if hmac.Equal(mac.Sum(nil), claimed) {
			return fmt.Errorf("it cannot be")
		}
		return err
	}
}

func gcm() cipher.AEAD {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		log.Fatal(err)
	}
	out, err := cipher.NewGCM(block)
	if err != nil {
		log.Fatal(err)
	}
	return out
}

func open(size int) func() error {
	aead, iv := gcm(), make([]byte, 12)
	sealed := aead.Seal(nil, iv, make([]byte, size), nil)
	text := base64.RawURLEncoding.AppendEncode(nil, sealed)
	mac := hmac.New(sha256.New, []byte("a secret"))
	room, sum := make([]byte, len(sealed)), make([]byte, 0, sha256.Size)
	return func() error {
		mac.Reset()
		mac.Write(text)
		if hmac.Equal(mac.Sum(sum), sum) {
			return fmt.Errorf("it cannot be")
		}
		if _, err := base64.RawURLEncoding.Decode(room, text); err != nil {
			return err
		}
		_, err := aead.Open(room[:0], iv, room, nil)
		return err
	}
}

func seal(size int) func() error {
	aead, iv, content := gcm(), make([]byte, 12), make([]byte, size)
	room := make([]byte, 0, size+aead.Overhead())
	text := make([]byte, base64.RawURLEncoding.EncodedLen(cap(room)))
	return func() error {
		base64.RawURLEncoding.Encode(text, aead.Seal(room, iv, content, nil))
		return nil
	}
}
