package counts

import (
	"maps"
	"os"
	"testing"
)

func TestParse(t *testing.T) {
	trace, err := os.ReadFile("testdata/strace")
	if err != nil {
		t.Fatal(err)
	}
	got := Parse(string(trace))
	// A process of a foreign one whose first call is seen before its birth
	// counts until then.
	want := Counts{
		"dm": 7, "ioctl": 1, "commit": 3, "sync": 2, "rename": 1, "open": 3, "mountinfo": 1,
		"readdir": 1, "exec": 4,
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Without -f strace writes no numbers of processes.
func TestParseAlone(t *testing.T) {
	got := Parse("execve(\"/usr/sbin/umount.thin\", [], 0x7 /* 9 vars */) = 0\nfsync(3) = 0\n")
	if want := (Counts{"exec": 1, "sync": 1}); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
