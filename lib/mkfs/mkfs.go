// Package mkfs makes filesystems, and changes their size, by running their
// programs. It starts them by absolute path, without a shell, and with an
// environment of its own. What a program prints may come from a hostile device:
// who shows it has to escape it.
package mkfs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// program is how to make one filesystem on a thin volume. It discards nothing,
// because a new volume has no blocks, and leaves what it can for the kernel to
// write later, so that the pool gives out few blocks.
type program struct {
	fs      string
	pkg     string // Debian's package
	args    []string
	label   string // option for the label
	maxName int    // longest label, bytes
}

var ext = []string{"-q", "-F", "-E", "nodiscard,lazy_itable_init=1,lazy_journal_init=1"}

// programs are those that Make can run.
func programs() []program {
	return []program{
		{"ext2", "e2fsprogs", ext, "-L", 16},
		{"ext3", "e2fsprogs", ext, "-L", 16},
		{"ext4", "e2fsprogs", ext, "-L", 16},
		{"xfs", "xfsprogs", []string{"-q", "-f", "-K"}, "-L", 12},
		{"btrfs", "btrfs-progs", []string{"-q", "-f", "-K"}, "-L", 255},
		{"f2fs", "f2fs-tools", []string{"-q", "-f", "-t", "0"}, "-l", 512},
		{"vfat", "dosfstools", nil, "-n", 11},
		{"exfat", "exfatprogs", nil, "-L", 22},
	}
}

// Options say how Make makes a filesystem.
type Options struct {
	Label  string
	Output io.Writer // what the program prints on stdout; nil drops it
}

// errUnknown is a filesystem that Make does not know.
var errUnknown = errors.New("is not among those that can be made")

// known lists the filesystems that Make knows: those of fstype.Made.
func known() []string {
	var names []string
	for _, p := range programs() {
		names = append(names, p.fs)
	}
	return names
}

// MissingError says that the program for a filesystem is not installed.
type MissingError struct {
	Program string
	Package string // Debian's name; other distributions have the same or a similar one
}

// Error names the program first.
func (e *MissingError) Error() string { return e.Program + ": not installed" }

// errLabel is a label that a filesystem has no room for.
var errLabel = errors.New("too long")

// Check returns the error that Make would return before it runs anything: a
// filesystem that it does not know, whose program is not installed
// (*MissingError), or whose label is too long.
func Check(fs, label string) error {
	all := programs()
	i := slices.IndexFunc(all, func(p program) bool { return p.fs == fs })
	if i >= 0 && len(label) > all[i].maxName {
		return fmt.Errorf("label %q: %w: %s has room for %d bytes",
			label, errLabel, fs, all[i].maxName)
	}
	_, _, err := find(fs)
	return err
}

func find(fs string) (program, string, error) {
	all := programs()
	i := slices.IndexFunc(all, func(p program) bool { return p.fs == fs })
	if i < 0 {
		return program{}, "", fmt.Errorf("filesystem %q: %w: %s",
			fs, errUnknown, strings.Join(known(), ", "))
	}
	path, ok := installed("mkfs." + fs)
	if !ok {
		return program{}, "", &MissingError{"mkfs." + fs, all[i].pkg}
	}
	return all[i], path, nil
}

// installed returns the path of a program.
func installed(name string) (path string, ok bool) {
	for _, dir := range []string{"/sbin/", "/usr/sbin/", "/bin/", "/usr/bin/"} {
		if st, err := os.Stat(dir + name); err == nil && st.Mode()&0o111 != 0 {
			return dir + name, true
		}
	}
	return "", false
}

// Make makes a filesystem on a device, and overwrites what is there. If the
// program fails, the error is an *Error with what it has printed. When ctx ends
// or this process dies, the program is killed: it would keep the device busy.
func Make(ctx context.Context, fs, device string, o Options) error {
	if err := Check(fs, o.Label); err != nil {
		return err
	}
	p, path, err := find(fs)
	if err != nil {
		return err
	}
	args := slices.Clone(p.args)
	if o.Label != "" {
		args = append(args, p.label, o.Label)
	}
	return run(ctx, path, append(args, device), o.Output)
}

// run runs a program. If it fails, the error is an *Error.
func run(ctx context.Context, path string, args []string, output io.Writer) error {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	cmd.Stdout, cmd.Stderr = output, &said
	if err := runOnThread(cmd); err != nil {
		if ctx.Err() != nil {
			return &Error{Program: filepath.Base(path), Err: ctx.Err()}
		}
		return &Error{Program: filepath.Base(path), Said: said.String(), Err: err}
	}
	return nil
}

// runOnThread runs a program that dies with this process. The kernel sends the
// signal when the thread that has started the program ends (prctl(2),
// PR_SET_PDEATHSIG), so that thread is kept until the program has ended.
func runOnThread(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd.Run()
}
