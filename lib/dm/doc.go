// Package dm sends commands to device-mapper: one function for each ioctl of
// /dev/mapper/control that thinmount needs, and above them Activate and
// Deactivate, which also see to the device nodes and to udev.
//
// # What it does
//
//   - Create, Load, Suspend, Resume, Remove, Message, Table, Status, Info and
//     List are one command each.
//   - Activate creates a device, loads its table, makes it live, and returns
//     when /dev/mapper/NAME leads to it. Deactivate is the reverse. Both wait
//     for udev with a cookie, as libdevmapper does, and make the node
//     themselves where no udev does.
//   - Errors are typed: an *Error names the command and the device, and
//     errors.Is finds both the errno and its meaning for that command
//     (ErrExist, ErrBusy, ErrNotExist, …).
//
// # What it needs
//
// Root (CAP_SYS_ADMIN in the first user namespace), a kernel with device-mapper
// (CONFIG_BLK_DEV_DM), and version 4.0 of its interface or newer. It needs
// neither dmsetup nor libdevmapper, and no cgo. NewControl makes a Control over
// a function instead of a kernel, so that programs can be tested without root.
//
// # Concurrency
//
// All methods of Control may be called concurrently. A command may sleep in the
// kernel for as long as I/O does not end; it holds its thread for that time,
// and no context ends it. The waits that take a context are those for udev and
// for the last close of a device.
//
// # When not to use it
//
//   - For targets: what the parameters of a table mean is not known here.
//     Package thinpool knows those of thin-pool and thin.
//   - For rename, events, geometry and the list of dependencies: these commands
//     are left out, and so is remove_all, which takes the devices of others.
//   - To suspend a device on which the program itself depends: a process that
//     suspends a device must resume it, whatever happens. Package freeze does
//     that.
//   - In a process without a stable IPC namespace: udev counts down a SysV
//     semaphore, which it must be able to see (semget(2), libdm's
//     dm_udev_wait).
//
// # Debugging
//
// With THIN_DEBUG=1 in the environment every command is printed to stderr with
// its device and its result.
//
// # Sources
//
// The kernel's include/uapi/linux/dm-ioctl.h (structures and flags),
// drivers/md/dm-ioctl.c (what each command answers and refuses) and
// drivers/md/dm.c (suspend and resume); libdm's libdevmapper.h (flags of the
// cookie) and libdm-common.c (names, semaphore); dmsetup(8).
package dm
