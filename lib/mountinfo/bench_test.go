package mountinfo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// crowd is a mount table with that many mounts of others, and one of ours.
func crowd(n int) string {
	var b strings.Builder
	b.WriteString("27 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro\n")
	for i := range n {
		fmt.Fprintf(&b, "%d 27 0:%d / /run/containers/storage/overlay/%032x/merged "+
			"rw,relatime shared:%d - overlay overlay rw,lowerdir=/var/lib/l/%026x,upperdir=/u\n",
			100+i, 50+i, i, i, i)
	}
	b.WriteString("99 27 253:3 / /mnt/x rw,relatime shared:9 - ext4 " +
		"/dev/mapper/thin-demo@base rw\n")
	return b.String()
}

// BenchmarkCrowd reads a table of 20,000 mounts, and finds what a helper looks
// for in it.
func BenchmarkCrowd(b *testing.B) {
	path := filepath.Join(b.TempDir(), "mountinfo")
	if err := os.WriteFile(path, []byte(crowd(20000)), 0o600); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		table, err := Read(path)
		if err != nil || len(table.OnTheWay("/mnt/x")) != 2 ||
			len(table.Of(253, 3, "/dev/mapper/thin-demo@base")) != 1 || table.ByID(99) == nil {
			b.Fatalf("%d mounts: %v", len(table.lines), err)
		}
	}
}
