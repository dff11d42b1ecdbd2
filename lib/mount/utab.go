package mount

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/atomicfile"
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
//	SRC=/dev/mapper/X TARGET=/mnt ROOT=/ OPTS=helper=thin
//	SRC=pool/volume TARGET=/mnt ROOT=/.thin-shadow OPTS=helper=thin
//
// The anchor is the one that libmount puts together with the mount, by source,
// target and root. It has no ID on purpose. Since 2.39 libmount goes by the ID
// of a line that has one, and by nothing else. The mount at a target may get
// another ID (X-mount.idmap puts a clone in its place), and a stale line's ID
// another mount. A copy of the mount in another mount namespace has an ID of
// its own: with the ID, umount(8) there would call no helper, and would still
// take the last line away.
//
// The shadow belongs to no mount, since no mount has its root. libmount changes
// it in place of the anchor. mount(8) finds it by SRC and TARGET and adds the
// x- options of fstab to it; without it mount(8) would append a line that hides
// the anchor. A remount overwrites its options. An umount(8) whose helper has
// returned 0 removes it, even if the helper has only dropped a reference: for
// those, Mend and Feed add another.
//
// Lines get lost (mount -n, a umount(8) that sees another mount namespace) and
// stale (umount -i, a namespace that ends): each writer here removes stale
// lines, and Mend adds missing ones. Lines that are not ours are never
// changed.
type Utab struct{ Dir string }

// Entry is a mount as /proc/self/mountinfo has it.
type Entry struct {
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

// Live tells whether the mount of a line is there: one of that source at that
// target, in our mount namespace or in another one.
type Live func(source, target string) bool

// Look reads the mount table. It is called with the lock on utab held: a line
// is written after its mount is made, so that a table that is read later has
// it.
type Look func() Live

// LiveIn asks a mount table.
func LiveIn(table mountinfo.Table) Live {
	return func(source, target string) bool {
		return slices.ContainsFunc(table.From(source),
			func(m *mountinfo.Info) bool { return m.Mountpoint == target })
	}
}

// Add writes the lines of a new mount, and clears what is stale. The anchor
// comes before its shadow: umount(8) removes the last line of a target.
func (u Utab) Add(ctx context.Context, e Entry, look Look) error {
	return u.edit(ctx, func(lines []string) []string {
		lines = slices.DeleteFunc(lines, func(l string) bool { return parseLine(l).of(e) })
		lines = dropStale(lines, look(), allLines)
		lines = addShadows(dropShadows(lines, e.Target, anchors(lines, e.Target)), e.Target)
		return append(lines, e.anchor(), shadow(e.Spec, e.Target))
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

// addShadows adds the shadows that a target lacks: it has as many as anchors.
// They are named after the last anchor.
func addShadows(lines []string, target string) []string {
	src := ""
	for _, text := range lines {
		if l := parseLine(text); l.anchor() && l.target == target {
			src = l.src
		}
	}
	for range lacking(lines, target) {
		lines = append(lines, shadow(src, target))
	}
	return lines
}

// lacking counts the shadows that a target lacks.
func lacking(lines []string, target string) int {
	n := anchors(lines, target)
	for _, text := range lines {
		if l := parseLine(text); l.shadow() && l.target == target {
			n--
		}
	}
	return max(n, 0)
}

// dropShadows leaves as many shadows of a target as it has anchors. More of
// them stay when umount(8) was killed, or did not find its helper.
func dropShadows(lines []string, target string, keep int) []string {
	return slices.DeleteFunc(lines, func(text string) bool {
		if l := parseLine(text); !l.shadow() || l.target != target {
			return false
		}
		keep--
		return keep < 0
	})
}

// line is what we look at of a line of utab. Other tokens, as UNIQID, ATTRS and
// BINDSRC, are left as they stand: a line that is kept is kept as text.
type line struct{ id, src, target, root, opts string }

func (l line) ours() bool { return slices.Contains(strings.Split(l.opts, ","), helperOption) }

// shadow goes by the root alone: a remount overwrites the options.
func (l line) shadow() bool { return l.root == shadowRoot }
func (l line) anchor() bool { return l.ours() && !l.shadow() }

// of tells whether a line is the anchor of a mount, fits whether libmount takes
// it for that.
func (l line) of(e Entry) bool   { return l.anchor() && l.src == e.Source && l.target == e.Target }
func (l line) fits(e Entry) bool { return l.of(e) && l.root == e.Root && l.id == "" }

func (e Entry) anchor() string {
	opts := strings.Join(append([]string{helperOption}, e.Options...), ",")
	return line{src: e.Source, target: e.Target, root: e.Root, opts: opts}.String()
}

func shadow(spec, target string) string {
	return line{src: spec, target: target, root: shadowRoot, opts: helperOption}.String()
}

// String writes the line as libmount's fprintf_utab_fs does.
func (l line) String() string {
	s := ""
	if l.id != "" {
		s = "ID=" + l.id + " "
	}
	return s + "SRC=" + mangle(l.src) + " TARGET=" + mangle(l.target) +
		" ROOT=" + mangle(l.root) + " OPTS=" + mangle(l.opts)
}

// parseLine reads a line; tokens that it does not know it skips. libmount takes
// no line without SRC, TARGET and ROOT (tab_parse.c, mnt_table_merge_user_fs).
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

// blank is all that separates tokens, and that mangle escapes: other white
// space, such as U+00A0, stands in names as it is.
func blank(r rune) bool { return r == ' ' || r == '\t' }

// mangle escapes as libmount's lib/mangle.c does. It escapes nothing else, so
// that a name keeps its bytes.
func mangle(s string) string {
	return strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`).Replace(s)
}

// edit changes the file under libmount's lock, as libmount does: all of it is
// written anew and renamed into place (lock.c, tab_update.c). libmount's own
// temp files are utab.XXXXXX: a file of atomicfile's name is ours, and stale. A
// reader sees the old file or the new one, and so does a crash. Nothing is
// synced: the file lies in /run. The lock is flock(2): a mount(8) that is slow
// with it makes us wait until ctx ends.
func (u Utab) edit(ctx context.Context, change func([]string) []string) error {
	if err := os.Mkdir(u.Dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	lock, err := filelock.Plain(ctx, u.lockFile())
	if err != nil {
		return err
	}
	defer lock.Unlock()
	path := filepath.Join(u.Dir, "utab")
	os.Remove(atomicfile.Temp(path)) // of a writer that was killed
	// It is read under the lock: what another writer has added meanwhile is
	// kept.
	old, err := u.read()
	if err != nil {
		return err
	}
	text := editText(old, change)
	if text == old {
		return nil
	}
	if err := atomicfile.Replace(path, []byte(text), 0o644, nil); err != nil { // libmount's mode
		return err
	}
	return u.notify()
}

// read is the file's text, "" where there is no file.
func (u Utab) read() (string, error) {
	text, err := os.ReadFile(filepath.Join(u.Dir, "utab"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return string(text), nil
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

// notify wakes libmount's monitors, which since 2.40 watch a file of its own
// for being closed after writing. libmount until 2.39 watches the lock file,
// which every writer closes.
func (u Utab) notify() error {
	path := filepath.Join(u.Dir, "utab.event")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}
