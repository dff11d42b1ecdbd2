// Package mount mounts a filesystem that is known and a device that is there:
// options, the kernel's mount API, the mount table, and libmount's utab.
//
// Its files:
//
//	mount.go           a new mount, by fsopen(2) and its like
//	file.go            such a mount as a file, for another mount namespace
//	old.go             a new mount by mount(2), for old kernels and old flags
//	remount.go         other options for a mount, or read-only
//	unmount.go         umount2(2) by the path of the mount
//	detach.go          umount2(2) by the ID of the mount
//	dir.go             mount points, opened so that nobody can exchange them
//	options.go         the option string of mount(8), sorted
//	flags.go           the options of the VFS, and how each reaches the kernel
//	shown.go           what a mount has of the options that are asked for
//	table.go           the mount table: what is seen where, what lies on what
//	namespace.go       which mount namespace this is
//	btrfs.go           filesystems that btrfs would mix up
//	utab*.go           libmount's file of what the kernel does not know
//	errors.go          errors
//
// # What it needs
//
// Root, and /proc: the kernel tells there which mount a descriptor is on.
// Without it the error is ErrNoProc. Linux 5.2 has fsopen(2), 5.12 has
// mount_setattr(2); without them mount(2) does the work.
//
// # Concurrency
//
// The functions keep no state and may be called concurrently. Each looks at the
// mount namespace of the thread that it runs on: a goroutine that has changed
// the namespace of its thread must stay on that thread. The methods of Utab
// that write take libmount's lock on the file. No other lock is taken: a caller
// that relies on what a table says has to keep other commands away.
//
// Sources: fsopen(2), fsconfig(2), fsmount(2), move_mount(2), mount(2),
// umount2(2), mount(8), proc_pid_mountinfo(5).
package mount
