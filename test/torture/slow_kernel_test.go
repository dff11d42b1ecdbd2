//go:build kernel

package torture

import (
	"fmt"
	"strings"
	"testing"
)

// slowFlush is how long (ms) a flush takes on a disk that is slow: a commit of
// the pool, for which a snapshot keeps its origin suspended, takes several.
const slowFlush = 250

// slow makes the flushes of the active pool t take long, until it is
// deactivated: dm-delay stands in for the linear devices below it.
func slow(t *testing.T) {
	t.Helper()
	for _, part := range []string{"@@data", "@@meta"} {
		name := "thin-t" + part
		f := strings.Fields(must(t, "dmsetup", "table", name)) // 0 LENGTH linear DEVICE OFFSET
		table := fmt.Sprintf("0 %s delay %s %s 0 %s %s 0 %s %s %d", f[1], f[3], f[4], f[3], f[4],
			f[3], f[4], slowFlush)
		must(t, "dmsetup", "suspend", "--noflush", name)
		must(t, "dmsetup", "load", name, "--table", table)
		must(t, "dmsetup", "resume", name)
	}
}
