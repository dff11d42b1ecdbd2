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

// Stale lists the lines of ours whose mount is gone, and the shadows of targets
// where no mount is left. It takes no lock: who writes, renames a whole file.
func (u Utab) Stale(live Live) ([]StaleLine, error) {
	text, err := os.ReadFile(filepath.Join(u.Dir, "utab"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var stale []StaleLine
	editText(string(text), func(lines []string) []string {
		return dropStale(lines, live, func(l StaleLine) bool {
			stale = append(stale, l)
			return true
		})
	})
	return stale, nil
}

// DropStale takes away those lines that Stale lists and drop chooses.
func (u Utab) DropStale(ctx context.Context, live Live, drop func(StaleLine) bool) error {
	return u.edit(ctx, func(lines []string) []string { return dropStale(lines, live, drop) })
}

// dropStale keeps the lines that have a mount, and those that drop does not
// choose.
func dropStale(lines []string, live Live, drop func(StaleLine) bool) (kept []string) {
	mounted := map[string]bool{}
	for _, text := range lines {
		if l := parseLine(text); l.anchor() && !staleLine(l, l.target, live) {
			mounted[l.target] = true
		}
	}
	for _, text := range lines {
		l := parseLine(text)
		stale := staleLine(l, l.target, live) || l.ours() && l.shadow() && !mounted[l.target]
		if !stale || !drop(StaleLine{l.src, l.target}) {
			kept = append(kept, text)
		}
	}
	return kept
}
