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
		return dropStale(lines, look(), func(l line) bool {
			stale = append(stale, StaleLine{l.src, l.target})
			return true
		})
	})
	return stale, nil
}

// DropStale takes away those lines that Stale lists and drop chooses.
func (u Utab) DropStale(ctx context.Context, look Look, drop func(StaleLine) bool) error {
	return u.edit(ctx, func(lines []string) []string {
		return dropStale(lines, look(),
			func(l line) bool { return drop(StaleLine{l.src, l.target}) })
	})
}

// Tidy takes away all that Stale lists, and the temp file of a writer that was
// killed. Nothing is written, and no lock taken, where there is neither.
func (u Utab) Tidy(ctx context.Context, look Look) error {
	return u.tidy(ctx, func(lines []string) []string {
		return dropStale(lines, look(), allLines)
	})
}

// Ended is Tidy after the unmount of a mount, of which no other has the source
// and target. Guess looks at a mount table that may be a little old. Look is
// asked only where that lacks the mount of another line.
func (u Utab) Ended(ctx context.Context, source, target string, guess, look Look) error {
	return u.tidy(ctx, func(lines []string) []string {
		certain, live := true, guess()
		isLive := func(src, tgt string) bool {
			return (src != source || tgt != target) && live(src, tgt)
		}
		kept := dropStale(lines, isLive, func(l line) bool {
			if l.anchor() && (l.src != source || l.target != target) {
				certain = false
			}
			return true
		})
		if !certain {
			live = look()
			kept = dropStale(lines, isLive, allLines)
		}
		return kept
	})
}

// tidy makes a change, and removes the temp file of a writer that was killed.
// Without either it takes no lock and writes nothing.
func (u Utab) tidy(ctx context.Context, change func([]string) []string) error {
	text, err := u.read()
	if err != nil {
		return err
	}
	_, err = os.Lstat(atomicfile.Temp(filepath.Join(u.Dir, "utab")))
	if errors.Is(err, fs.ErrNotExist) && editText(text, change) == text {
		return nil
	}
	return u.edit(ctx, change)
}

func allLines(line) bool { return true }

// dropStale keeps the lines whose mount is there, and those that drop does not
// choose. A shadow is stale if its target has no anchor that is there. Lines of
// others are neither.
func dropStale(lines []string, live Live, drop func(line) bool) (kept []string) {
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
		if !stale || !drop(l) {
			kept = append(kept, text)
		}
	}
	return kept
}
