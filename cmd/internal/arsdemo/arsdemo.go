// Package arsdemo is a small ARS service to try kmproxy with: it makes the
// two-digit number that a member keys into the phone call. It knows nothing of
// keys; what it is sent and what it answers is plain JSON.
package arsdemo

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strconv"
)

// Path is the API's path.
const Path = "/api/v1/bankaccounts/ars/auth"

// maxUserID is the largest member id: past int64, and past what a float64 holds.
const maxUserID uint64 = 9999999999999999999

const maxBodyBytes = 64 << 10

// handler serves the API. see is called with every request's body as it arrived;
// it may be nil.
func handler(see func(r *http.Request, body []byte)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Path, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
		if err != nil {
			return // nobody is left to answer
		}
		if see != nil {
			see(r, body)
		}
		status, answer := answer(body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(answer) // the proxy went away: nobody is left to tell
	})
	return mux
}

type response struct {
	Code        string `json:"code"`
	Description string `json:"description"`
}

func answer(body []byte) (status int, out []byte) {
	type reply struct {
		AuthNumber string   `json:"authNumber,omitempty"`
		Response   response `json:"response"`
	}
	if !validUserID(body) {
		out, _ = json.Marshal(reply{Response: response{"000_002", "Invalid input parameter. userId"}})
		return http.StatusBadRequest, out
	}
	out, _ = json.Marshal(reply{authNumber(), response{"000_000", "Success."}})
	return http.StatusOK, out
}

// validUserID wants one JSON object whose userId is a whole number from 1 to
// maxUserID. It is read as text, so that no digit is lost.
func validUserID(body []byte) bool {
	var in struct {
		UserID json.RawMessage `json:"userId"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return false
	}
	id, err := strconv.ParseUint(string(in.UserID), 10, 64)
	return err == nil && id >= 1 && id <= maxUserID
}

// authNumber is a random number of two digits.
func authNumber() string {
	n, err := rand.Int(rand.Reader, big.NewInt(100))
	if err != nil {
		panic("arsdemo: " + err.Error()) // crypto/rand's reader never fails
	}
	return fmt.Sprintf("%02d", n)
}
