package mount

import (
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// A filesystem that refuses discard is mounted without; one that refuses
// something else says so, and nothing is tried that the caller did not ask.
func TestDiscardIsGivenUp(t *testing.T) {
	no := false
	for _, row := range []struct {
		name    string
		r       Request
		refuses func(options []string) error
		tries   int
		dropped bool
		err     error
	}{
		{"taken", Request{FSType: "ext4"}, func([]string) error { return nil }, 1, false, nil},
		{"refused", Request{FSType: "ext4"}, refuse("discard", unix.EINVAL), 2, true, nil},
		{"not supported", Request{FSType: "xfs"}, refuse("discard", unix.EOPNOTSUPP), 2, true, nil},
		{"the caller's option is wrong", Request{FSType: "ext4",
			Options: Options{FS: []string{"bad"}}}, refuse("bad", unix.EINVAL), 2, false,
			unix.EINVAL},
		{"broken disk", Request{FSType: "ext4"}, func([]string) error { return unix.EIO }, 1, false,
			unix.EIO},
		{"not asked for", Request{FSType: "ext4", Options: Options{Discard: &no}},
			func([]string) error { return unix.EINVAL }, 1, false, unix.EINVAL},
		{"not known", Request{FSType: "iso9660"}, func([]string) error { return unix.EINVAL }, 1,
			false, unix.EINVAL},
	} {
		t.Run(row.name, func(t *testing.T) {
			tries := 0
			res, err := withDiscard(row.r, func(_ Request, options []string) error {
				tries++
				return row.refuses(options)
			})
			if tries != row.tries || res.DroppedDiscard != row.dropped || !errors.Is(err, row.err) {
				t.Errorf("%d tries, %+v, %v", tries, res, err)
			}
		})
	}
}

func refuse(option string, errno unix.Errno) func([]string) error {
	return func(options []string) error {
		if slices.Contains(options, option) {
			return errno
		}
		return nil
	}
}
