package mount

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/fstype"
	"thinmount/lib/kmsg"
)

// Request is one mount.
type Request struct {
	Source  string // block device
	Target  string // directory, as OpenDir gives it
	FSType  string
	Options Options
}

// Result tells how it was mounted. It is zero after an error.
type Result struct {
	DroppedDiscard bool // the filesystem or the device refused discard
	ID             int  // of the mount, as mountinfo has it
}

// Error is a mount that failed, with the kernel's own words where it has any.
type Error struct {
	Op     string // the step: "fsopen", "fsconfig", …
	Source string
	Target string
	FSType string
	Kernel []string
	Err    error
}

// Error begins with where, and ends with the kernel's words.
func (e *Error) Error() string {
	s := fmt.Sprintf("mount %s on %s: ", e.FSType, e.Target)
	if len(e.Kernel) > 0 {
		return s + (&kernelError{e.Kernel, e.Err}).Error()
	}
	s += e.Err.Error()
	if errors.Is(e.Err, unix.EINVAL) {
		s += " (the kernel gives no reason: is there " + e.FSType +
			" on it, and does it know the options?)"
	}
	return s
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// kernelError is an error with the kernel's own words.
type kernelError struct {
	said []string
	err  error
}

func (e *kernelError) Error() string {
	return e.err.Error() + " (kernel: " + strings.Join(e.said, "; ") + ")"
}

func (e *kernelError) Unwrap() error { return e.err }

// Made is a mount that has no place yet. Nobody can reach it, and it ends with
// Close, or with this process (fs/namespace.c, dissolve_on_fput). It is for one
// goroutine.
type Made struct {
	request Request
	fd      int // of fsmount(2); -1 if mount(2) is to do all at once
	result  Result
}

// Make makes a mount of a filesystem without a place, by fsopen(2). It reads
// the device, and may replay a journal: that may take long, and if the disk
// does not answer, no signal ends it. So the caller holds no lock that others
// wait for. ctx is looked at once, before the first call. Discard is asked for
// by default, where the filesystem knows it, and given up when it is refused;
// xfs gets nouuid, since a snapshot has its origin's UUID.
//
// Kernels without fsopen(2), and flags that only mount(2) knows, make and
// attach a mount in one call: Make does nothing for them, and Attach does it
// all.
func Make(ctx context.Context, r Request) (*Made, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m := &Made{request: r, fd: -1}
	if oldFlags(r.Options.Flags) {
		return m, nil
	}
	log := kmsg.Begin() // what was logged before belongs to others
	defer log.Close()
	res, err := withDiscard(r, func(r Request, options []string) (err error) {
		var op string
		var said []string
		m.fd, m.result.ID, op, said, err = newMount(r, options)
		return refusal(r, op, said, log, err)
	})
	if errors.Is(err, unix.ENOSYS) {
		return m, nil
	}
	if err != nil {
		return nil, err
	}
	m.result.DroppedDiscard = res.DroppedDiscard
	return m, nil
}

// Attach gives the mount its place, in this thread's mount namespace. The
// caller holds the volume's lock, so that no other command mounts the same
// source meanwhile. Attach may be called once.
func (m *Made) Attach() (Result, error) {
	r := m.request
	log := kmsg.Begin()
	defer log.Close()
	dir, err := pin(r.Target)
	if err != nil {
		return Result{}, err
	}
	defer unix.Close(dir)
	if m.fd >= 0 {
		err := m.moveTo(dir)
		if err == nil {
			return m.result, nil
		}
		if !errors.Is(err, unix.ENOSYS) {
			return Result{}, refusal(r, "move_mount", nil, log, err)
		}
		m.Close()
	}
	id := 0
	res, err := withDiscard(r, func(r Request, options []string) (err error) {
		id, err = oldMount(r, dir, options)
		return refusal(r, "mount", nil, log, err)
	})
	res.ID = id
	return res, err
}

// moveTo attaches the mount to the directory that is open as dir.
func (m *Made) moveTo(dir int) error {
	return unix.MoveMount(m.fd, "", dir, "",
		unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
}

// Close ends a mount that was not attached. One that is attached stays, but
// cannot be unmounted before Close, except lazily (MNT_DETACH). If this was the
// last use of the filesystem, Close writes what is left to write. A second
// Close does nothing.
func (m *Made) Close() {
	if m.fd >= 0 {
		unix.Close(m.fd)
		m.fd = -1
	}
}

// refusal is the error of a step of a mount, with the kernel's words: said, or
// what the kernel has logged. ENOSYS means a kernel before 5.2, or a sandbox
// that forbids the new calls by that errno: then mount(2) is tried.
func refusal(r Request, op string, said []string, log kmsg.Log, err error) error {
	if err == nil || op != "mount" && errors.Is(err, unix.ENOSYS) {
		return err
	}
	if len(said) == 0 {
		said = log.Messages(logWords(r)...)
	}
	return &Error{
		Op: op, Source: r.Source, Target: r.Target, FSType: r.FSType, Kernel: said, Err: err,
	}
}

// withDiscard mounts by once, and again without discard where that is refused.
// What is wrong besides shows at the second try. A filesystem that does not
// know the option says EINVAL, as it does for any other option: the second try
// tells the two apart.
func withDiscard(r Request, once func(Request, []string) error) (Result, error) {
	options, discards := fsOptions(r)
	err := once(r, options)
	if !discards || !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EOPNOTSUPP) {
		return Result{}, err
	}
	isDiscard := func(o string) bool { return o == "discard" }
	options = slices.DeleteFunc(slices.Clone(options), isDiscard)
	if err := once(r, options); err != nil {
		return Result{}, err
	}
	return Result{DroppedDiscard: true}, nil
}

// fsOptions is what the filesystem is told. discards says that discard is among
// them.
func fsOptions(r Request) (options []string, discards bool) {
	options = slices.Clone(r.Options.FS)
	// xfs refuses a UUID that is mounted already (fs/xfs/xfs_mount.c,
	// xfs_uuid_mount), and says so in the kernel's log alone.
	if r.FSType == "xfs" && !slices.Contains(options, "nouuid") {
		options = append(options, "nouuid")
	}
	asked, words := r.Options.Discard, fstype.Find(r.FSType).Discard
	switch {
	case asked != nil && *asked, asked == nil && words != fstype.NoDiscard:
		return append(options, "discard"), true
	case words == fstype.DiscardBoth:
		return append(options, "nodiscard"), false
	}
	return options, false
}

// newMount makes a mount without a place, as the descriptor fd, by fsopen(2).
// said is what the kernel explains in the filesystem context's log.
//
// The mount has its attributes before it has a place: no program of a nosuid
// mount ever runs with its owner's rights.
func newMount(r Request, options []string) (fd, id int, op string, said []string, err error) {
	fs, err := unix.Fsopen(r.FSType, unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, 0, "fsopen", nil, unknownType(r.FSType, err)
	}
	defer unix.Close(fs)
	if err := configure(fs, r, options); err != nil {
		return -1, 0, "fsconfig", contextLog(fs), err
	}
	// The superblock is open from here on, and the mount has its ID, which
	// move_mount does not change.
	fd, err = unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, attributes(r.Options.Flags))
	if err != nil {
		return -1, 0, "fsmount", contextLog(fs), err
	}
	if id, err = mountID(fd); err != nil {
		unix.Close(fd)
		return -1, 0, "fsmount", nil, err
	}
	return fd, id, "", nil, nil
}

// unknownType puts ENODEV into words. The kernel has looked for a module of
// that name by then (fs/filesystems.c, get_fs_type).
func unknownType(name string, err error) error {
	if errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("the kernel knows no filesystem %s: %w", name, err)
	}
	return err
}

// configure tells a new filesystem context all that there is, and makes the
// superblock. That reads the device, and may replay a journal. The source is
// what the mount table shows later.
func configure(fs int, r Request, options []string) error {
	if err := unix.FsconfigSetString(fs, "source", r.Source); err != nil {
		return err
	}
	if err := setOptions(fs, append(superblockFlags(r.Options.Flags), options...)); err != nil {
		return err
	}
	return unix.FsconfigCreate(fs)
}

// setOptions gives a filesystem context one option after the other. The kernel
// takes values of 255 bytes at most (fs/fsopen.c, fsconfig(2)): a longer one is
// EINVAL. A filesystem that has no parser of its own for this gets them joined
// by commas, and then a comma within a value is refused (fs/fs_context.c,
// legacy_parse_param).
func setOptions(fs int, options []string) error {
	for _, word := range options {
		key, value, hasValue := option(word)
		set := func() error { return unix.FsconfigSetFlag(fs, key) }
		if hasValue {
			set = func() error { return unix.FsconfigSetString(fs, key, value) }
		}
		if err := set(); err != nil {
			return &OptionError{word, err}
		}
	}
	return nil
}

// contextLog reads the messages of a filesystem context: each begins with its
// level, as in "e ext4: Unknown parameter 'x'". A read returns one message, and
// ENODATA after the last; the kernel keeps the last 8 (fs/fsopen.c,
// fscontext_read; fs/fs_context.c, logfc).
func contextLog(fs int) []string {
	var said []string
	buf := make([]byte, 4096)
	for {
		n, err := unix.Read(fs, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n <= 0 {
			return said
		}
		m := string(buf[:n])
		if level, text, ok := strings.Cut(m, " "); ok && len(level) == 1 {
			m = text
		}
		said = append(said, strings.TrimSpace(m))
	}
}

// logWords find a mount's messages in the kernel's log: filesystems name the
// device by its kernel name, as in "EXT4-fs (dm-3): " or "XFS (dm-3): ". Some
// messages of btrfs name no device.
func logWords(r Request) []string {
	words := []string{r.Source}
	if name := kernelName(r.Source); name != "" {
		words = append(words,
			"("+name+")", name+":", "device "+name, strings.ToUpper(r.FSType)+" ("+name)
	}
	return append(words, "BTRFS error", "BTRFS: ")
}
