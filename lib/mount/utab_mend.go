package mount

import (
	"context"
	"slices"
)

// Mend adds the lines that a mount lacks, and spare shadows: umount(8) removes
// one each time its helper returns 0, and several may run at once. It removes
// stale lines. Without anything to change it takes no lock and writes nothing.
func (u Utab) Mend(ctx context.Context, e Entry, spare int, look Look) error {
	change := func(lines []string) []string {
		return mended(dropStale(lines, look(), allLines), e, spare)
	}
	if spare == 0 {
		text, err := u.read()
		if err != nil || editText(text, change) == text {
			return err
		}
	}
	return u.edit(ctx, change)
}

// Lacks tells whether Mend would write lines of the mount. It takes no lock:
// see Stale.
func (u Utab) Lacks(e Entry) (bool, error) {
	text, err := u.read()
	if err != nil {
		return false, err
	}
	return editText(text, func(lines []string) []string { return mended(lines, e, 0) }) != text, nil
}

// mended adds the lines that a mount lacks. umount(8) removes the last line of
// a target, so the anchor comes before the shadows. An anchor with an ID
// belongs to a mount that was replaced.
func mended(lines []string, e Entry, spare int) []string {
	fits := func(text string) bool { return parseLine(text).fits(e) }
	isOf := func(text string) bool { return parseLine(text).of(e) }
	there := func(text string) bool { return parseLine(text).target == e.Target }
	if !slices.ContainsFunc(lines, fits) {
		lines = slices.DeleteFunc(slices.Clone(lines), isOf)
		at := slices.IndexFunc(lines, there)
		if at < 0 {
			at = len(lines)
		}
		lines = slices.Insert(lines, at, e.anchor())
	}
	missing := lacking(lines, e.Target)
	named := func(text string) bool {
		l := parseLine(text)
		return l.shadow() && l.target == e.Target && l.src == e.Spec
	}
	if !slices.ContainsFunc(lines, named) {
		missing = max(missing, 1)
	}
	for range missing + spare {
		lines = append(lines, shadow(e.Spec, e.Target))
	}
	return lines
}

// Feed adds a shadow to a target that has lines of ours: umount(8) removes one
// each time its helper returns 0. Without this the third umount(8) of a volume
// with three references would find no line, and would not call its helper.
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
