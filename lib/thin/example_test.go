package thin_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"thinmount/lib/freeze"
	"thinmount/lib/reexec"
	"thinmount/lib/thin"
)

// A program makes a pool in a file, a volume, and a snapshot of the mounted
// volume. It needs root. Its main begins with the two calls that let the
// program run again as a second process.
func Example() {
	freeze.RunIfWatcher()
	reexec.RunIfChild()

	ctx := context.Background()
	s := thin.Default()
	s.Warn = func(m thin.Message) { fmt.Fprintln(os.Stderr, "warning:", m) }
	volume := thin.Volume{Pool: "demo", Name: "base"}
	base := thin.CreateSpec{Volume: volume, Size: 1 << 30, FS: "ext4"}
	for _, step := range []func() error{
		func() error { return s.CreatePool(ctx, thin.PoolSpec{Name: "demo", Size: 10 << 30}) },
		func() error { return s.Create(ctx, base) },
		func() error { return s.Mount(ctx, thin.MountRequest{Spec: "demo/base", Dir: "/mnt"}) },
		func() error { return s.Snapshot(ctx, volume, "monday", thin.SnapshotOptions{}) },
		func() error { return s.Unmount(ctx, thin.UnmountRequest{Dir: "/mnt"}) },
	} {
		if err := step(); err != nil {
			fmt.Fprintln(os.Stderr, thin.Text(err))
			if remedy := thin.RemedyOf(err); remedy != nil {
				fmt.Fprintln(os.Stderr, "what helps:", remedy)
			}
			return
		}
	}
}

// A System works in any folders. Its errors say what is wrong, and of which
// kind the error is.
func ExampleSystem() {
	dir, err := os.MkdirTemp("", "thin")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx, s := context.Background(), thin.Default()
	s.StateDir, s.RunDir = filepath.Join(dir, "state"), filepath.Join(dir, "run")
	names, err := s.PoolNames(ctx)
	fmt.Println(len(names), "pools,", err)
	bad := thin.Volume{Pool: "demo", Name: "a/b"}
	err = s.Create(ctx, thin.CreateSpec{Volume: bad, Size: 1 << 30})
	text, _, _ := strings.Cut(thin.Text(err), ";")
	fmt.Println(text)
	fmt.Println(errors.Is(err, thin.ErrUsage), errors.Is(err, thin.ErrNotFound))
	// Output:
	// 0 pools, <nil>
	// volume name "a/b": has '/' in it
	// true false
}
