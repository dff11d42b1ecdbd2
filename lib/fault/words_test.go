package fault

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"thinmount/lib/filelock"
)

func TestSizeText(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 bytes", 1023: "1023 bytes", 1024: "1K", 1536: "1536 bytes", 10 << 10: "10K",
		10<<10 + 1: "10K", 100 << 20: "100M",
		2 << 40: "2T", 5000 << 40: "5000T", 20000 << 40: "19P", 1 << 62: "4E",
		9<<30 + 1<<20: "9217M",
	} {
		if got := SizeText(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// Text replaces the words of Go, which mean nothing to the user.
func TestText(t *testing.T) {
	for _, row := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("demo/base: %w", context.Canceled), "demo/base: interrupted"},
		{&Error{Object: "demo/base", Err: context.DeadlineExceeded}, "demo/base: gave up waiting"},
		{WaitError("demo/base", held(context.DeadlineExceeded)),
			"demo/base: gave up waiting for pid 7 (thin-snap delete demo/base)"},
		{WaitError("demo/base", held(context.Canceled)),
			"demo/base: interrupted while it waited for pid 7 (thin-snap delete demo/base)"},
		{errors.New("demo: full"), "demo: full"},
		{errors.Join(errors.New("mkfs.xfs: no room"), errors.New("pool demo: no room")),
			"mkfs.xfs: no room; pool demo: no room"},
	} {
		if got := Text(row.err); got != row.want {
			t.Errorf("%q, want %q", got, row.want)
		}
	}
}

func held(err error) error {
	return &filelock.HeldError{Path: "/run/thin/locks/demo@base",
		Holders: []filelock.Holder{{PID: 7, Command: "thin-snap delete demo/base"}}, Err: err}
}

// ExactSize does not round, so two sizes that differ have different texts.
func TestExactSize(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 bytes", 512: "512 bytes", 1 << 10: "1K", 1<<10 + 512: "1536 bytes", 64 << 10: "64K",
		500 << 20:      "500M",
		100<<20 + 4096: "102404K", 3 << 40: "3T", 2048 << 40: "2P",
	} {
		if got := ExactSize(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
