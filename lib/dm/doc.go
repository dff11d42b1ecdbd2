// Package dm speaks to device-mapper: the ioctls of /dev/mapper/control, one
// function a command, and above them Activate and Deactivate, which see to the
// device nodes and to udev as well.
//
// It is complete but for remove_all, which takes the devices of others, and
// set_geometry, which nobody needs. It knows no targets: what a table's
// parameters mean is for its users. Sources: the kernel's
// include/uapi/linux/dm-ioctl.h and drivers/md/dm-ioctl.c.
//
// # Debugging
//
// With THIN_DEBUG=1 in the environment every command is printed to stderr with
// its device and its result.
package dm
