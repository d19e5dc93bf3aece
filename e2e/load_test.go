package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// knock makes one encrypted call and wants an encrypted answer, which it does not
// open: that would cost the machine as much as the proxy does.
func (p *provider) knock(ctx context.Context, id string) error {
	body, err := p.Encrypt(request(id))
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+arsPath, bytes.NewReader(body))
	if err != nil {
		return err
	}
	p.Sign(r.Header, body)
	status, answer, err := fetch(p.HTTP, r)
	if err != nil {
		return err
	}
	if status != http.StatusOK || !bytes.HasPrefix(answer, []byte(`{"encData":"`)) {
		return &refusal{status, answer}
	}
	return nil
}

// refusal is an answer that is not the one hoped for.
type refusal struct {
	status int
	body   []byte
}

func (r *refusal) Error() string { return fmt.Sprintf("status %d: %.200s", r.status, r.body) }

// refusedWith tells whether an error is an answer with that status.
func refusedWith(err error, status int) bool {
	r, ok := errors.AsType[*refusal](err)
	return ok && r.status == status
}

func fetch(c *http.Client, r *http.Request) (int, []byte, error) {
	answer, err := c.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = answer.Body.Close() }() // it was read to its end, or the error says so
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, body, err
}

// tally is what became of many calls.
type tally struct {
	mu     sync.Mutex
	took   []time.Duration // of those that succeeded
	failed []error
}

func (t *tally) note(took time.Duration, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.failed = append(t.failed, err)
		return
	}
	t.took = append(t.took, took)
}

// quantile is of the calls that succeeded; 0.99 is p99.
func (t *tally) quantile(q float64) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.took) == 0 {
		return 0
	}
	slices.Sort(t.took)
	return t.took[min(int(q*float64(len(t.took))), len(t.took)-1)]
}

// atRate makes calls at so many a second for a while, each when its time has come
// whether the ones before are answered or not, and counts from that time on.
func atRate(perSecond int, length time.Duration, call func(i int) error) *tally {
	t := &tally{}
	var all sync.WaitGroup
	begun := time.Now()
	for i := range int(length.Seconds() * float64(perSecond)) {
		due := begun.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		time.Sleep(time.Until(due))
		all.Go(func() {
			err := call(i)
			t.note(time.Since(due), err)
		})
	}
	all.Wait()
	return t
}

// median of an odd number of values.
func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
