package keys_test

import (
	"errors"
	"strings"
	"testing"

	"kmproxy/keys"
)

func TestPin(t *testing.T) {
	// printf key | sha256sum
	const text = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"
	pin := keys.NewPin([]byte("key"))
	if pin.String() != text {
		t.Errorf("it is %s, want %s", pin, text)
	}
	for s, ok := range map[string]bool{text: true, strings.ToUpper(text): true, "": false, text[:62]: false, text + "00": false,
		text[:63] + "g": false, strings.Repeat("0", 64): false} {
		got, err := keys.ParsePin(s)
		if (err == nil) != ok || !ok && !errors.Is(err, keys.ErrID) || ok && got != pin {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	other := keys.NewPin([]byte("other"))
	for _, c := range []struct {
		pin, shown keys.Pin
		want       bool
	}{{keys.Pin{}, keys.Pin{}, true}, {keys.Pin{}, other, true}, {pin, pin, true}, {pin, other, false}, {pin, keys.Pin{}, false}} {
		if got := c.pin.Admits(c.shown); got != c.want {
			t.Errorf("%q admits %q: %t", c.pin, c.shown, got)
		}
	}
}
