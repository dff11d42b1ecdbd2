package mount

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"thinmount/lib/atomicfile"
)

// StaleLine is a line of ours in utab that no mount has any more.
type StaleLine struct{ Source, Target string }

// Stale lists the lines of mounts that are gone, and the shadows of targets
// where no mount is left. It takes no lock, since writers rename a whole
// file. So a line may belong to a mount that was made in this moment: the
// writer asks again before it drops what Stale lists.
func (u Utab) Stale(look Look) ([]StaleLine, error) {
	text, err := u.read()
	if err != nil {
		return nil, err
	}
	var stale []StaleLine
	editText(text, func(lines []string) []string {
		return dropStale(lines, look(), func(l StaleLine) bool {
			stale = append(stale, l)
			return true
		})
	})
	return stale, nil
}

// DropStale takes away those lines that Stale lists and drop chooses.
func (u Utab) DropStale(ctx context.Context, look Look, drop func(StaleLine) bool) error {
	return u.edit(ctx, func(lines []string) []string { return dropStale(lines, look(), drop) })
}

// Tidy takes away all that Stale lists, and the temp file of a writer that was
// killed. Nothing is written, and no lock taken, where there is neither.
func (u Utab) Tidy(ctx context.Context, look Look) error {
	stale, err := u.Stale(look)
	if err != nil {
		return err
	}
	_, err = os.Lstat(atomicfile.Temp(filepath.Join(u.Dir, "utab")))
	if errors.Is(err, fs.ErrNotExist) && len(stale) == 0 {
		return nil
	}
	return u.DropStale(ctx, look, all)
}

func all(StaleLine) bool { return true }

// dropStale keeps the lines whose mount is there, and those that drop does not
// choose. A shadow is stale if its target has no anchor that is there. Lines of
// others are neither.
func dropStale(lines []string, live Live, drop func(StaleLine) bool) (kept []string) {
	there := make([]bool, len(lines))
	mounted := map[string]bool{}
	for i, text := range lines {
		if l := parseLine(text); l.anchor() && live(l.src, l.target) {
			there[i], mounted[l.target] = true, true
		}
	}
	for i, text := range lines {
		l := parseLine(text)
		stale := l.anchor() && !there[i] || l.shadow() && !mounted[l.target]
		if !stale || !drop(StaleLine{l.src, l.target}) {
			kept = append(kept, text)
		}
	}
	return kept
}
