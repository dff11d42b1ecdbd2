package mount

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/filelock"
	"thinmount/lib/mountinfo"
)

// Utab is libmount's table of what the kernel does not know of mounts,
// DIR/utab. The line "helper=thin" in it is the only thing that makes umount(8)
// call umount.thin, since the kernel shows the real type, ext4 say.
//
// The file's format is libmount's own business and differs by version, so all
// that is known of it stands here. For each mount there are two lines:
//
//	ID=67 SRC=/dev/mapper/X TARGET=/mnt ROOT=/ OPTS=helper=thin
//	SRC=pool/volume TARGET=/mnt ROOT=/.thin-shadow OPTS=helper=thin
//
// The anchor is the one that libmount puts together with the mount: by its ID
// (2.39 and newer) or by source, target and root (2.38). The shadow, by its root
// that never is, belongs to no mount. It takes the blows that are meant for the
// last line of a target: mount(8) finds it by SRC and TARGET and adds the x-
// options of fstab there, where it would have appended a line that hides the
// anchor; a remount overwrites its options; and an umount(8) whose helper has
// returned 0 removes it, even if the helper has only dropped a reference: for
// those, AddShadow puts down another.
//
// Lines get stale (umount -i, a namespace that ends), and 2.38 drops the ID of
// every line when it writes the file: Add and Remove clear what is stale at
// their target. Lines that are not ours are never changed.
type Utab struct{ Dir string }

// Entry is a mount as /proc/self/mountinfo has it.
type Entry struct {
	ID      int
	Source  string
	Target  string
	Root    string
	Spec    string   // as mount(8) was given it
	Options []string // besides helper=thin: "_netdev"
}

const (
	helperOption = "helper=thin"
	shadowRoot   = "/.thin-shadow"
)

// Live tells whether the mount of a line is there: a mount with that ID at that
// target; or, where a line has lost its ID (0), one of that source.
type Live func(id int, source, target string) bool

// LiveIn asks a mount table, besides the mount with the ID except.
func LiveIn(table []*mountinfo.Info, except int) Live {
	return func(id int, source, target string) bool {
		return slices.ContainsFunc(table, func(m *mountinfo.Info) bool {
			return m.ID != except && m.Mountpoint == target && (m.ID == id || id == 0 && m.Source == source)
		})
	}
}

// Add writes the lines of a new mount. live keeps the lines of other mounts on
// the same target, below this one.
func (u Utab) Add(ctx context.Context, e Entry, live Live) error {
	return u.edit(ctx, func(lines []string) []string {
		lines = slices.DeleteFunc(lines, func(l string) bool { return staleLine(parseLine(l), e.Target, live) })
		lines = dropShadows(lines, e.Target, anchors(lines, e.Target))
		anchor := line{id: strconv.Itoa(e.ID), src: e.Source, target: e.Target, root: e.Root, opts: strings.Join(append([]string{helperOption}, e.Options...), ",")}
		return append(lines, anchor.String(), shadow(e.Spec, e.Target))
	})
}

// AddShadow puts down one line for umount(8) to take away.
func (u Utab) AddShadow(ctx context.Context, spec, target string) error {
	return u.edit(ctx, func(lines []string) []string { return append(lines, shadow(spec, target)) })
}

// Remove takes away the lines of a mount that is gone. live is asked about
// others on the same target: when none is left, no line of ours is.
func (u Utab) Remove(ctx context.Context, e Entry, live Live) error {
	return u.edit(ctx, func(lines []string) []string {
		lines = slices.DeleteFunc(lines, func(text string) bool {
			l := parseLine(text)
			return l.anchor() && l.target == e.Target && (l.id == strconv.Itoa(e.ID) || staleLine(l, e.Target, live))
		})
		return dropShadows(lines, e.Target, anchors(lines, e.Target))
	})
}

// anchors counts those of a target.
func anchors(lines []string, target string) (n int) {
	for _, text := range lines {
		if l := parseLine(text); l.anchor() && l.target == target {
			n++
		}
	}
	return n
}

// dropShadows leaves as many shadows of a target as it has anchors.
func dropShadows(lines []string, target string, keep int) []string {
	return slices.DeleteFunc(lines, func(text string) bool {
		if l := parseLine(text); !l.shadow() || l.target != target {
			return false
		}
		keep--
		return keep < 0
	})
}

// staleLine is a line of ours at the target whose mount is no more.
func staleLine(l line, target string, live Live) bool {
	if l.target != target || !l.anchor() {
		return false
	}
	id, _ := strconv.Atoi(l.id)
	return !live(id, l.src, target)
}

// line is what we look at of a line of utab.
type line struct{ id, src, target, root, opts string }

func (l line) ours() bool   { return slices.Contains(strings.Split(l.opts, ","), helperOption) }
func (l line) shadow() bool { return l.root == shadowRoot }
func (l line) anchor() bool { return l.ours() && !l.shadow() }

func shadow(spec, target string) string {
	return line{src: spec, target: target, root: shadowRoot, opts: helperOption}.String()
}

// String writes the line as libmount's fprintf_utab_fs does.
func (l line) String() string {
	s := ""
	if l.id != "" {
		s = "ID=" + l.id + " "
	}
	return s + "SRC=" + mangle(l.src) + " TARGET=" + mangle(l.target) + " ROOT=" + mangle(l.root) + " OPTS=" + mangle(l.opts)
}

// parseLine reads a line; tokens that it does not know it skips.
func parseLine(s string) line {
	var l line
	for token := range strings.FieldsFuncSeq(s, blank) {
		key, value, _ := strings.Cut(token, "=")
		value = mountinfo.Unescape(value)
		switch key {
		case "ID":
			l.id = value
		case "SRC":
			l.src = value
		case "TARGET":
			l.target = value
		case "ROOT":
			l.root = value
		case "OPTS":
			l.opts = value
		}
	}
	return l
}

// blank is all that separates tokens, and that mangle escapes: other white space,
// such as U+00A0, stands in names as it is.
func blank(r rune) bool { return r == ' ' || r == '\t' }

// mangle escapes as libmount's lib/mangle.c does.
func mangle(s string) string {
	return strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`).Replace(s)
}

// edit changes the file under libmount's lock, as libmount does: all of it is
// written anew and renamed into place (lock.c, tab_update.c).
func (u Utab) edit(ctx context.Context, change func([]string) []string) error {
	if err := os.Mkdir(u.Dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	lock, err := filelock.Plain(ctx, filepath.Join(u.Dir, "utab.lock"))
	if err != nil {
		return err
	}
	defer lock.Unlock()
	path := filepath.Join(u.Dir, "utab")
	os.Remove(filepath.Join(u.Dir, tempName)) // of a writer that was killed
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text := editText(string(old), change)
	if text == string(old) {
		return nil
	}
	if err := replace(path, text); err != nil {
		return err
	}
	return u.notify()
}

// editText applies a change to the lines of the file.
func editText(old string, change func([]string) []string) string {
	lines := strings.Split(old, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	lines = change(lines)
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

// tempName is unlike libmount's own (utab.XXXXXX): what we find there under the
// lock is ours, and stale.
const tempName = ".utab.thin"

// replace writes the file anew, with the mode that libmount would give it. It is
// on a tmpfs: nothing is synced.
func replace(path, text string) error {
	f, err := os.OpenFile(filepath.Join(filepath.Dir(path), tempName), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// notify wakes libmount's monitors, which since 2.40 watch a file of its own for
// being closed after writing.
func (u Utab) notify() error {
	f, err := os.OpenFile(filepath.Join(u.Dir, "utab.event"), os.O_WRONLY|os.O_CREATE|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}
