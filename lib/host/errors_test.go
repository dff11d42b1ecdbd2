package host

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/fault"
	"thinmount/lib/privdir"
)

// remedyText returns the remedy of err as text, or "" if there is none.
func remedyText(err error) string {
	r := RemedyOf(err)
	if r == nil {
		return ""
	}
	return fmt.Sprint(r)
}

func TestRemedyIsTheOutermost(t *testing.T) {
	inner := &fault.Error{Object: "a", Err: unix.EBUSY, Remedy: fault.Hint("inner")}
	for _, row := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{unix.EBUSY, ""},
		{inner, "inner"},
		{fmt.Errorf("around: %w", inner), "inner"},
		{&fault.Error{Err: inner, Remedy: fault.Hint("outer")}, "outer"},
		{&fault.Error{Err: inner}, "inner"},
		{errors.Join(unix.EIO, inner), "inner"},
		{fault.Wrap(fault.ErrBusy, inner), "inner"},
	} {
		if got := remedyText(row.err); got != row.want {
			t.Errorf("%v: %q, want %q", row.err, got, row.want)
		}
	}
}

// RemedyOf finds a remedy for our own files and folders only if the error
// carries none.
func TestRemedyOfAFile(t *testing.T) {
	full := &fs.PathError{Op: "write", Path: "/var/lib/thin/demo/.pool.json.tmp", Err: unix.ENOSPC}
	for _, row := range []struct {
		err  error
		want string
	}{
		{&fault.Error{
			Object: "demo/v",
			Err:    fmt.Errorf("catalog: %w", full),
		}, "df /var/lib/thin/demo"},
		{&fault.Error{Err: full, Remedy: fault.Hint("given")}, "given"},
		{&privdir.Error{Path: "/var/lib/thin/demo", Err: unix.EROFS}, "findmnt -nT /var/lib/thin "},
		{&privdir.Error{Path: "/run/thin", Reason: "belongs to uid 1, not to uid 0"},
			"chown root: /run/thin && chmod 0700 /run/thin"},
		{&privdir.Error{Path: "/var/lib/nosuch", Reason: "is a symlink", Link: true},
			"mount --bind DIR /var/lib/nosuch"},
		{&fs.PathError{Op: "open", Path: "/run/thin/locks/p@v", Err: unix.ELOOP},
			"ls -ld /run/thin/locks/p@v"},
		{&fs.PathError{Op: "open", Path: "/run/thin/locks/p@v", Err: unix.EACCES}, ""},
	} {
		if got := remedyText(row.err); !strings.Contains(got, row.want) ||
			row.want == "" && got != "" {
			t.Errorf("%v: %q, want %q", row.err, got, row.want)
		}
	}
}
