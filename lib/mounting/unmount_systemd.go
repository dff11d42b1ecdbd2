package mounting

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
	"thinmount/lib/host"
	"thinmount/lib/mount"
	"thinmount/lib/mountinfo"
	"thinmount/lib/systemd"
)

// keeping keeps the device of a mount until systemd knows that it is unmounted.
// Else systemd hears of the device's removal first, and unmounts what it finds
// on the directory by then: the volume, mounted again, or the mount on demand
// below it.
type keeping struct {
	unit, source string
	fd           int // of the device: the kernel removes it after the close; -1 for none
}

// keep opens the device of the mount top, if systemd would stop a mount unit
// when the device goes. If this process is killed, the kernel closes it.
func (u *unmounting) keep(dev dm.DevNo, top *mountinfo.Info) *keeping {
	k := &keeping{source: top.Source, fd: -1}
	if u.request.All { // systemd stops the unit and waits for us, or all goes, as at shutdown
		return k
	}
	var ok bool
	if k.unit, ok = systemd.MountUnit(u.dir); !ok ||
		mount.Namespace() != mount.NamespaceAt("/proc/1/ns/mnt") { // it sees another mount table
		return k
	}
	fd, err := unix.Open(top.Source, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return k
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || dm.DevNoOf(uint64(st.Rdev)) != dev {
		unix.Close(fd)
		return k
	}
	k.fd = fd
	return k
}

// close lets the device go.
func (k *keeping) close() {
	if k.fd >= 0 {
		unix.Close(k.fd)
		k.fd = -1
	}
}

// untilSeen waits until systemd knows of the unmount, and lets the device go.
// systemd may know it a second late, and later if it is busy. It is not waited
// for longer than that.
func (k *keeping) untilSeen(ctx context.Context, s *host.System) {
	if k.fd < 0 {
		return
	}
	defer k.close()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	defer s.WaitingFor("systemd to see the unmount")()
	systemd.WaitUnmounted(ctx, k.unit, k.source)
}
