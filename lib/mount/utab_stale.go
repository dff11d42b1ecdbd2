package mount

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// StaleLine is a line of ours in utab that no mount has any more.
type StaleLine struct{ Source, Target string }

// Gone tells whether the device of a line is gone, and with it every mount of it, in whatever namespace. That no mount of it is in our own
// says nothing: utab is everybody's.
type Gone func(source string) bool

// Stale lists the lines of mounts whose device is gone, and the shadows of targets where no mount is left. It takes no lock: who writes,
// renames a whole file.
func (u Utab) Stale(gone Gone) ([]StaleLine, error) {
	text, err := os.ReadFile(filepath.Join(u.Dir, "utab"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var stale []StaleLine
	editText(string(text), func(lines []string) []string {
		return dropStale(lines, gone, func(l StaleLine) bool {
			stale = append(stale, l)
			return true
		})
	})
	return stale, nil
}

// DropStale takes away those lines that Stale lists and drop chooses.
func (u Utab) DropStale(ctx context.Context, gone Gone, drop func(StaleLine) bool) error {
	return u.edit(ctx, func(lines []string) []string { return dropStale(lines, gone, drop) })
}

// Tidy takes away all that Stale lists, and the temp file of a writer that was killed. Nothing is written, and no lock taken, where there
// is neither.
func (u Utab) Tidy(ctx context.Context, gone Gone) error {
	stale, err := u.Stale(gone)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(filepath.Join(u.Dir, tempName)); errors.Is(err, fs.ErrNotExist) && len(stale) == 0 {
		return nil
	}
	return u.DropStale(ctx, gone, func(StaleLine) bool { return true })
}

// dropStale keeps the lines that have a device, and those that drop does not
// choose.
func dropStale(lines []string, gone Gone, drop func(StaleLine) bool) (kept []string) {
	mounted := map[string]bool{}
	for _, text := range lines {
		if l := parseLine(text); l.anchor() && !gone(l.src) {
			mounted[l.target] = true
		}
	}
	for _, text := range lines {
		l := parseLine(text)
		stale := l.anchor() && gone(l.src) || l.ours() && l.shadow() && !mounted[l.target]
		if !stale || !drop(StaleLine{l.src, l.target}) {
			kept = append(kept, text)
		}
	}
	return kept
}
