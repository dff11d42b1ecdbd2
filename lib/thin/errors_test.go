package thin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/privdir"
)

func TestHintIsTheOutermost(t *testing.T) {
	inner := &Error{Object: "a", Err: unix.EBUSY, Hint: "inner"}
	for _, row := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{unix.EBUSY, ""},
		{inner, "inner"},
		{fmt.Errorf("around: %w", inner), "inner"},
		{&Error{Err: inner, Hint: "outer"}, "outer"},
		{&Error{Err: inner}, "inner"},
		{errors.Join(unix.EIO, inner), "inner"},
		{wrap(ErrBusy, inner), "inner"},
	} {
		if got := Hint(row.err); got != row.want {
			t.Errorf("%v: %q, want %q", row.err, got, row.want)
		}
	}
}

// What our own files and folders need is told where nobody has said better.
func TestHintOfAFile(t *testing.T) {
	full := &fs.PathError{Op: "write", Path: "/var/lib/thin/demo/.pool.json.tmp", Err: unix.ENOSPC}
	for _, row := range []struct {
		err  error
		want string
	}{
		{&Error{Object: "demo/v", Err: fmt.Errorf("catalog: %w", full)}, "df /var/lib/thin/demo"},
		{&Error{Err: full, Hint: "given"}, "given"},
		{&privdir.Error{Path: "/var/lib/thin/demo", Err: unix.EROFS}, "findmnt -nT /var/lib/thin "},
		{&privdir.Error{Path: "/run/thin", Reason: "belongs to uid 1, not to uid 0"}, "chown root: /run/thin && chmod 0700 /run/thin"},
		{&privdir.Error{Path: "/var/lib/nosuch", Reason: "is a symlink", Link: true}, "mount --bind DIR /var/lib/nosuch"},
		{&fs.PathError{Op: "open", Path: "/run/thin/locks/p@v", Err: unix.ELOOP}, "ls -ld /run/thin/locks/p@v"},
		{&fs.PathError{Op: "open", Path: "/run/thin/locks/p@v", Err: unix.EACCES}, ""},
	} {
		if got := Hint(row.err); !strings.Contains(got, row.want) || row.want == "" && got != "" {
			t.Errorf("%v: %q, want %q", row.err, got, row.want)
		}
	}
}

// An error is its kind and its errno, and its text is the reason's alone.
func TestWrapKeepsErrnoAndText(t *testing.T) {
	err := &Error{Object: "demo/base", Err: wrap(ErrBusy, fmt.Errorf("remove: %w", unix.EBUSY))}
	if !errors.Is(err, ErrBusy) || !errors.Is(err, unix.EBUSY) || errors.Is(err, ErrExists) {
		t.Error("kind or errno is lost")
	}
	if got, want := err.Error(), "demo/base: remove: device or resource busy"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWaitError(t *testing.T) {
	for cause, kind := range map[error]error{context.Canceled: ErrInterrupt, context.DeadlineExceeded: ErrBusy} {
		if err := waitError("pool p", fmt.Errorf("lock: %w", cause)); !errors.Is(err, kind) || !errors.Is(err, cause) {
			t.Errorf("%v is not %v", err, kind)
		}
	}
	if err := waitError("pool p", unix.ENOSPC); !errors.Is(err, unix.ENOSPC) || errors.Is(err, ErrBusy) {
		t.Error(err)
	}
}

// What cannot be found or read says what to do, and is told apart.
func TestCatalogErrors(t *testing.T) {
	s := Default()
	s.StateDir = t.TempDir()
	_, err := s.findVolume("nosuch", "v")
	if !errors.Is(err, ErrNotFound) || !strings.Contains(Hint(err), "thin-snap pool create nosuch") {
		t.Errorf("%v (%s)", err, Hint(err))
	}
	for _, names := range [][2]string{{"..", "v"}, {"p", "a/b"}, {"p", strings.Repeat("v", 128)}, {"p", "a\nb"}} {
		if _, err := s.findVolume(names[0], names[1]); !errors.Is(err, ErrUsage) {
			t.Errorf("%q: %v", names, err)
		}
	}
	err = corrupt("pool p", &catalog.CorruptError{Path: "/x/pool.json", Reason: "truncated"})
	if !strings.Contains(Hint(err), "/x/pool.json") || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v (%s)", err, Hint(err))
	}
}
