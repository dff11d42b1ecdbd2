package reexec

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Only the text of a zero is success, that of another number is an errno, and
// all else is shown as it is; but how the process ended goes before what it
// said.
func FuzzOutcome(f *testing.F) {
	for _, said := range []string{
		"0\n", "16\n", "", "\n", "00", "+0", "-16\n", "16", "0 16", "0\x00", "panic: \x1b[2J",
		"99999999999999999999",
	} {
		f.Add(said)
	}
	f.Fuzz(func(t *testing.T, said string) {
		broken := errors.New("broken pipe")
		if err := outcome(said, broken); !errors.Is(err, broken) {
			t.Errorf("%q: %v, want what is broken", said, err)
		}
		n, parseErr := strconv.Atoi(strings.TrimSpace(said))
		err := outcome(said, nil)
		var errno unix.Errno
		isErrno := errors.As(err, &errno)
		switch {
		case err == nil:
			if strings.Trim(strings.TrimSpace(said), "+-0") != "" || !strings.Contains(said, "0") {
				t.Errorf("%q is success", said)
			}
		case isErrno:
			if parseErr != nil || int(errno) != n || n == 0 {
				t.Errorf("%q is %d", said, errno)
			}
		case parseErr == nil || !strings.Contains(err.Error(), strconv.Quote(said)):
			t.Errorf("%q: %v", said, err)
		}
	})
}
