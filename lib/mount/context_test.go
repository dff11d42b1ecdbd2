package mount

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Each message of a context comes back, in order, without its level and without
// white space around it. A pipe of packets gives one message a read, as a
// context does.
func FuzzContextLog(f *testing.F) {
	f.Add("e ext4: Unknown parameter 'x'\x00w xfs: noattr2 is ignored\n")
	f.Add("i \x00e\x00 \x00e e e\x00long words")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		const mostMessages, mostBytes = 16, 4096 // what a pipe has room for, and a read
		var fds [2]int
		if err := unix.Pipe2(fds[:], unix.O_DIRECT|unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fds[0])
		var sent []string
		for m := range strings.SplitSeq(text, "\x00") {
			if m == "" || len(m) > mostBytes || len(sent) == mostMessages {
				continue
			}
			if _, err := unix.Write(fds[1], []byte(m)); err != nil {
				t.Fatal(err)
			}
			sent = append(sent, m)
		}
		unix.Close(fds[1])
		said := contextLog(fds[0])
		if len(said) != len(sent) {
			t.Fatalf("%q reads as %q", sent, said)
		}
		for i, m := range sent {
			if said[i] != strings.TrimSpace(said[i]) ||
				!strings.HasSuffix(strings.TrimSpace(m), said[i]) ||
				len(said[i]) < len(strings.TrimSpace(m))-2 && !strings.HasPrefix(m[1:], " ") {
				t.Errorf("%q reads as %q", m, said[i])
			}
		}
	})
}
