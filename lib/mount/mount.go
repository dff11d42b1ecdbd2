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

// Mount mounts a filesystem. Discard is asked for by default, where the
// filesystem knows it, and given up when it is refused; xfs gets nouuid, since
// a snapshot has its origin's UUID. The mount API is that of fsopen(2), or
// mount(2) on kernels without it and for flags that it alone knows.
//
// ctx is looked at once, before the first call: the kernel may read and replay
// a journal for long, and no context ends that. The caller holds the volume's
// lock, so that no other command mounts the same source meanwhile. The mount is
// in this thread's mount namespace.
func Mount(ctx context.Context, r Request) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	id := 0
	res, err := withDiscard(r, func(r Request, options []string) (err error) {
		id, err = mountOnce(r, options)
		return err
	})
	res.ID = id
	return res, err
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

// mountOnce mounts and, if that fails, collects the kernel's words. ENOSYS
// means a kernel before 5.2, or a sandbox that forbids the new calls by that
// errno.
func mountOnce(r Request, options []string) (id int, err error) {
	// From here on: what was logged before belongs to others.
	log := kmsg.Begin()
	defer log.Close()
	dir, err := pin(r.Target)
	if err != nil {
		return 0, err
	}
	defer unix.Close(dir)
	op, said, err := "mount", []string(nil), error(unix.ENOSYS)
	if !oldFlags(r.Options.Flags) {
		id, op, said, err = newMount(r, dir, options)
	}
	if errors.Is(err, unix.ENOSYS) {
		// The log of the new calls does not say why mount(2) fails.
		op, said = "mount", nil
		id, err = oldMount(r, dir, options)
	}
	if err == nil {
		return id, nil
	}
	if len(said) == 0 {
		said = log.Messages(logWords(r)...)
	}
	return 0, &Error{
		Op: op, Source: r.Source, Target: r.Target, FSType: r.FSType, Kernel: said, Err: err,
	}
}

// newMount is the way of fsopen(2), onto the directory that is open as dir.
// said is what the kernel explains in the filesystem context's log.
//
// Until move_mount(2) nobody can reach the mount, and it has its attributes
// before that: no program of a nosuid mount ever runs with its owner's rights.
// A process that dies earlier leaves nothing, since the kernel dissolves a
// mount without a place with its descriptor (fs/namespace.c, dissolve_on_fput).
func newMount(r Request, dir int, options []string) (id int, op string, said []string, err error) {
	fs, err := unix.Fsopen(r.FSType, unix.FSOPEN_CLOEXEC)
	if err != nil {
		return 0, "fsopen", nil, unknownType(r.FSType, err)
	}
	defer unix.Close(fs)
	if err := configure(fs, r, options); err != nil {
		return 0, "fsconfig", contextLog(fs), err
	}
	// The superblock is open from here on, and the mount has its ID, which
	// move_mount does not change.
	m, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, attributes(r.Options.Flags))
	if err != nil {
		return 0, "fsmount", contextLog(fs), err
	}
	defer unix.Close(m)
	if id, err = mountID(m); err != nil {
		return 0, "fsmount", nil, err
	}
	err = unix.MoveMount(m, "", dir, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
	return id, "move_mount", nil, err
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
