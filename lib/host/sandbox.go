package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
	"thinmount/lib/fault"
	"thinmount/lib/mountinfo"
)

// procHint is for a chroot or a container without /proc.
const procHint = "mount -t proc proc /proc"

// OpenError adds a remedy to the error of opening device-mapper. The caller is
// root: if root may not open a device, a sandbox keeps it from that.
func OpenError(err error) error {
	_, isFile := errors.AsType[*fs.PathError](err)
	switch {
	// Without -a, modprobe takes the second name for a parameter of the first
	// module.
	case errors.Is(err, dm.ErrNoDriver):
		return &fault.Error{
			Object: "device-mapper",
			Err:    fault.Wrap(fault.ErrNoKernel, err),
			Remedy: fault.Hint("modprobe -a dm_mod dm_thin_pool"),
		}
	case isFile && noProc(err):
		return &fault.Error{
			Object: "device-mapper",
			Err: fault.Wrap(fault.ErrNoKernel,
				fault.Retold{Text: "cannot be found: /proc is not mounted", Err: err}),
			Remedy: fault.Hint(procHint),
		}
	case errors.Is(err, fs.ErrPermission):
		return &fault.Error{
			Object: "device-mapper",
			Err:    fault.Wrap(fault.ErrPermission, notInHere(err)),
			Remedy: fault.Hint(deviceHint),
		}
	case errors.Is(err, unix.EROFS):
		return &fault.Error{
			Object: "device-mapper",
			Err:    notInHere(err),
			Remedy: fault.Hint(deviceHint),
		}
	}
	return err
}

// notInHere says that device-mapper is missing in this sandbox.
func notInHere(err error) error {
	return fault.Retold{Text: "there is none in here: " + err.Error(), Err: err}
}

// deviceHint is for root in a sandbox that denies it the device.
const deviceHint = "a sandbox keeps root from it, as PrivateDevices=, DevicePolicy= or a " +
	"container do: work outside of it, " +
	"or let it have /dev/mapper by DeviceAllow="

// noProc reports whether err happened because /proc is not mounted.
func noProc(err error) bool {
	file, ok := errors.AsType[*fs.PathError](err)
	if !ok || !strings.HasPrefix(file.Path, "/proc/") || !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	var st unix.Statfs_t
	return unix.Statfs("/proc", &st) != nil || st.Type != unix.PROC_SUPER_MAGIC
}

// ReadOnlyHint returns a hint for a folder that is read-only. If the filesystem
// is writable and only its mount in this mount namespace is not, a sandbox has
// made it read-only. The hint then names the sandbox's setting.
func ReadOnlyHint(path, mountinfoFile string) string {
	if table, err := mountinfo.Read(mountinfoFile); err == nil {
		if m := mountOf(table, path); m != nil && readOnly(m.Options) && !readOnly(m.VFSOptions) {
			return "it is read-only in here alone, as by ProtectSystem= or in a container: let " +
				"it write there by ReadWritePaths=" + fault.ShellPath(m.Mountpoint)
		}
	}
	return "its filesystem is read-only: dmesg may say why; mount -o remount,rw \"$(findmnt -nT " +
		fault.ShellPath(path) + " -o TARGET)\""
}

// mountOf returns the mount on which path lies. If several mounts lie on one
// folder, it returns the last one.
func mountOf(table mountinfo.Table, path string) (found *mountinfo.Info) {
	for _, m := range table.OnTheWay(path) {
		if found == nil || len(m.Mountpoint) >= len(found.Mountpoint) {
			found = m
		}
	}
	return found
}

// readOnly reports whether mount options, as mountinfo has them, begin with ro.
func readOnly(options string) bool {
	first, _, _ := strings.Cut(options, ",")
	return first == "ro"
}

// Hidden returns an error if a sandbox hides the folder StateDir. systemd puts
// an empty folder with mode 0 in its place (InaccessiblePaths=). A chroot may
// lack the folder above it. Otherwise Hidden returns nil.
func (s *System) Hidden() error {
	st, err := os.Stat(s.StateDir)
	switch {
	case err == nil && st.Mode().Perm() == 0:
		return &fault.Error{
			Object: s.StateDir,
			Err:    errors.New("inaccessible in here"),
			Remedy: fault.Hint(
				"a sandbox hides it, as InaccessiblePaths= does: work outside of it, or let it " +
					"be seen"),
		}
	case errors.Is(err, fs.ErrNotExist):
		if above := filepath.Dir(s.StateDir); !exists(above) {
			return &fault.Error{
				Object: above,
				Err:    fault.Wrap(fault.ErrNotFound, unix.ENOENT),
				Remedy: fault.Hint("the pools are known by " + s.StateDir +
					": bring it into the chroot or container"),
			}
		}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
