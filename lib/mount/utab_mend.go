package mount

import (
	"context"
	"slices"
)

// Mend sees to it that a mount has its lines, and puts down spare shadows besides
// for umount(8) to take away: each of several at one time takes one. Stale lines go. Where nothing is amiss nothing is
// written, and no lock is taken.
func (u Utab) Mend(ctx context.Context, e Entry, spare int, look Look) error {
	change := func(lines []string) []string { return mended(dropStale(lines, look(), all), e, spare) }
	if spare == 0 {
		text, err := u.read()
		if err != nil || editText(text, change) == text {
			return err
		}
	}
	return u.edit(ctx, change)
}

// Lacks tells whether Mend would write lines of the mount.
func (u Utab) Lacks(e Entry) (bool, error) {
	text, err := u.read()
	return err == nil && editText(text, func(lines []string) []string { return mended(lines, e, 0) }) != text, err
}

// mended adds what is missing of a mount's lines. umount(8) takes the last line of
// a target, so the anchor stands before the shadows. An anchor that carries an ID
// is of a mount that was replaced.
func mended(lines []string, e Entry, spare int) []string {
	if !slices.ContainsFunc(lines, func(l string) bool { return parseLine(l).fits(e) }) {
		lines = slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return parseLine(l).of(e) })
		at := slices.IndexFunc(lines, func(l string) bool { return parseLine(l).target == e.Target })
		if at < 0 {
			at = len(lines)
		}
		lines = slices.Insert(lines, at, e.anchor())
	}
	n, named := 0, false
	for _, text := range lines {
		if l := parseLine(text); l.shadow() && l.target == e.Target {
			n, named = n+1, named || l.src == e.Spec
		}
	}
	missing := max(anchors(lines, e.Target)-n, 0)
	if !named {
		missing = max(missing, 1)
	}
	for range missing + spare {
		lines = append(lines, shadow(e.Spec, e.Target))
	}
	return lines
}

// Feed puts down one line more for umount(8) to take away from a target that has
// lines of ours: it takes one whenever its helper says that all is well.
func (u Utab) Feed(ctx context.Context, target string) error {
	change := func(lines []string) []string {
		for _, text := range slices.Backward(lines) {
			if l := parseLine(text); (l.ours() || l.shadow()) && l.target == target {
				return append(lines, shadow(l.src, target))
			}
		}
		return lines
	}
	text, err := u.read()
	if err != nil || editText(text, change) == text {
		return err
	}
	return u.edit(ctx, change)
}
