package dm

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// sems is what Linux 6.1 shows: dmsetup's cookie, ours in use, ours left by
// 777, and one of a database.
const sems = `       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime
 223195281          3   600          1     0     0     0     0 1700000000 1700000000
 223157638          4   700          1     0   500     0     0          0 1700000000
 223167805          5   700          1     0   777     0     0          0 1700000000
 223150081          6   700          1     0     0     0     0          0 1700000000
     12345          7   700          1   104   777   104   112 1700000000 1700000000
`

func TestStaleSemaphores(t *testing.T) {
	dead := func(pid int) bool { return pid == 777 }
	for after, want := range map[time.Duration]string{time.Second: "[5]", time.Minute: "[5 6]"} {
		var stale []uint32
		for _, line := range strings.Split(sems, "\n") {
			if s, ok := parseSemaphore(line); ok &&
				s.stale(time.Unix(1700000000, 0).Add(after), dead) {
				stale = append(stale, s.id)
			}
		}
		if got := fmt.Sprint(stale); got != want {
			t.Errorf("%v later stale are %s, want %s", after, got, want)
		}
	}
}

func FuzzParseSemaphore(f *testing.F) {
	for _, line := range strings.Split(sems, "\n") {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		s, ok := parseSemaphore(line)
		if !ok && s != (semaphore{}) {
			t.Errorf("%q: %+v, and not ok", line, s)
		}
		if ok && (s.id >= 1<<31 || s.mode > 0o777) {
			t.Errorf("%q: %+v", line, s)
		}
	})
}
