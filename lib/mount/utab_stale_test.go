package mount

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestUtabListsStaleLines(t *testing.T) {
	const (
		theirs = "ID=3 SRC=/dev/sda1 TARGET=/gone ROOT=/ OPTS=helper=other\n"
		alive  = "SRC=/dev/mapper/thin-a@v TARGET=/mnt ROOT=/ OPTS=helper=thin\n" +
			"SRC=a/v TARGET=/mnt ROOT=/.thin-shadow OPTS=helper=thin\n"
		spare = "SRC=a/v TARGET=/mnt ROOT=/.thin-shadow OPTS=helper=thin\n"
		dead  = "SRC=/dev/mapper/thin-a@w TARGET=/srv ROOT=/ OPTS=helper=thin\n" +
			"SRC=a/w TARGET=/srv ROOT=/.thin-shadow OPTS=helper=thin\n"
		other = "ID=9 SRC=/dev/mapper/thin-b@w TARGET=/srv ROOT=/ OPTS=helper=thin\n"
	)
	gone := func() Live {
		return func(source, _ string) bool { return source == "/dev/mapper/thin-a@v" }
	}
	u := Utab{t.TempDir()}
	if stale, err := u.Stale(gone); err != nil || len(stale) != 0 {
		t.Errorf("no file: %v, %v", stale, err)
	}
	do(t, os.WriteFile(filepath.Join(u.Dir, "utab"), []byte(theirs+alive+spare+dead+other), 0o644))
	want := []StaleLine{{"/dev/mapper/thin-a@w", "/srv"}, {"a/w", "/srv"},
		{"/dev/mapper/thin-b@w", "/srv"}}
	if stale, err := u.Stale(gone); err != nil || !slices.Equal(stale, want) {
		t.Errorf("%v, %v, want %v", stale, err, want)
	}
	u.check(t, theirs+alive+spare+dead+other)
	do(t, u.DropStale(t.Context(), gone, func(l StaleLine) bool { return l != want[2] }))
	u.check(t, theirs+alive+spare+other)
}

// The lines of a mount that was unmounted go without a look at the mount table.
// Where the old table lacks another mount with lines, the new one decides.
func TestUtabEnded(t *testing.T) {
	const (
		ended = "SRC=/dev/mapper/thin-a@v TARGET=/mnt ROOT=/ OPTS=helper=thin\n" +
			"SRC=a/v TARGET=/mnt ROOT=/.thin-shadow OPTS=helper=thin\n"
		other = "SRC=/dev/mapper/thin-b@w TARGET=/srv ROOT=/ OPTS=helper=thin\n" +
			"SRC=b/w TARGET=/srv ROOT=/.thin-shadow OPTS=helper=thin\n"
		below = "SRC=/dev/mapper/thin-b@w TARGET=/mnt ROOT=/ OPTS=helper=thin\n" +
			"SRC=b/w TARGET=/mnt ROOT=/.thin-shadow OPTS=helper=thin\n"
		again = "SRC=/dev/mapper/thin-a@v TARGET=/again ROOT=/ OPTS=helper=thin\n" +
			"SRC=a/v TARGET=/again ROOT=/.thin-shadow OPTS=helper=thin\n"
		theirs = "SRC=/dev/sda1 TARGET=/data ROOT=/ OPTS=user=joe\n"
	)
	const w = "/dev/mapper/thin-b@w"
	for _, row := range []struct {
		name        string
		text        string
		guess, live []string // sources
		looks       bool
		want        string
	}{
		{"alone", ended, nil, nil, false, ""},
		{"no lines", theirs, nil, nil, false, theirs},
		{"beside another", theirs + ended + other, []string{w}, []string{w}, false,
			theirs + other},
		{"beside a new one", ended + other, nil, []string{w}, true, other},
		{"beside one that is gone", ended + other, nil, nil, true, ""},
		{"beside a new one of the volume", ended + again, nil, []string{"/dev/mapper/thin-a@v"},
			true, again},
		{"over another", ended + below, []string{w}, []string{w}, false,
			"SRC=a/v TARGET=/mnt ROOT=/.thin-shadow OPTS=helper=thin\n" + below},
		{"over a new one", ended + below, nil, []string{w}, true,
			"SRC=a/v TARGET=/mnt ROOT=/.thin-shadow OPTS=helper=thin\n" + below},
	} {
		t.Run(row.name, func(t *testing.T) {
			u := Utab{t.TempDir()}
			do(t, os.WriteFile(filepath.Join(u.Dir, "utab"), []byte(row.text), 0o644))
			looks := 0
			among := func(sources []string, n *int) Look {
				return func() Live {
					*n++
					return func(source, _ string) bool { return slices.Contains(sources, source) }
				}
			}
			do(t, u.Ended(t.Context(), "/dev/mapper/thin-a@v", "/mnt", among(row.guess, new(int)),
				among(row.live, &looks)))
			u.check(t, row.want)
			if (looks > 0) != row.looks {
				t.Errorf("%d looks", looks)
			}
		})
	}
}
