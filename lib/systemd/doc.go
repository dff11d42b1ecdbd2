// Package systemd knows what process 1 believes about a mount.
//
// systemd reads the mount table when the kernel announces a change, but at most
// five times in a second (mount_enumerate in src/core/mount.c). So for up to a
// second it may believe in a mount that is gone. It hears of a device's removal
// at once. If a mount unit has a file, of its own or made from a line of
// fstab(5), systemd stops the unit when its device goes (StopPropagatedFrom= in
// systemd.unit(5)): if it still believes in the mount, it calls umount(8) for
// whatever is mounted on the directory by then.
package systemd
