package thin

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"thinmount/lib/filelock"
)

// Words of the programming language say nothing to a person.
func TestText(t *testing.T) {
	for _, row := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("demo/base: %w", context.Canceled), "demo/base: interrupted"},
		{&Error{Object: "demo/base", Err: context.DeadlineExceeded}, "demo/base: gave up waiting"},
		{waitError("demo/base", held(context.DeadlineExceeded)), "demo/base: gave up waiting for pid 7 (thin-snap delete demo/base)"},
		{waitError("demo/base", held(context.Canceled)), "demo/base: interrupted while it waited for pid 7 (thin-snap delete demo/base)"},
		{errors.New("demo: full"), "demo: full"},
		{errors.Join(errors.New("mkfs.xfs: no room"), errors.New("pool demo: no room")), "mkfs.xfs: no room; pool demo: no room"},
	} {
		if got := Text(row.err); got != row.want {
			t.Errorf("%q, want %q", got, row.want)
		}
	}
}

func held(err error) error {
	return &filelock.HeldError{Path: "/run/thin/locks/demo@base", Holders: []filelock.Holder{{PID: 7, Command: "thin-snap delete demo/base"}}, Err: err}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 volumes", 1: "1 volume", 2: "2 volumes"} {
		if got := Count(n, "volume"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	for want, volumes := range map[string][]string{
		"pool demo: has 1 volume: big":           {"big"},
		"pool demo: has 3 volumes: a, b, c":      {"c", "a", "b"},
		"pool demo: has 4 volumes: a, b, c, ...": {"d", "c", "a", "b"},
	} {
		if got := HasVolumes("demo", volumes).Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Two sizes that are compared are never told alike.
func TestExactSize(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 bytes", 512: "512 bytes", 1 << 10: "1K", 1<<10 + 512: "1536 bytes", 64 << 10: "64K", 500 << 20: "500M",
		100<<20 + 4096: "102404K", 3 << 40: "3T", 2048 << 40: "2P",
	} {
		if got := exactSize(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
