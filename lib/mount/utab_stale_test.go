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
