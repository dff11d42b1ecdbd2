// Package mount mounts a filesystem that is known and a device that is there:
// options, the kernel's mount API, the mount table, and libmount's utab.
// Sources: fsopen(2), fsconfig(2), fsmount(2), move_mount(2), mount(2),
// umount2(2), mount(8), proc_pid_mountinfo(5).
package mount
