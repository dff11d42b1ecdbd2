package mount

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// errSameFSID is a btrfs that the kernel would take for another one.
var errSameFSID = errors.New("a btrfs of the same fsid is mounted from another device")

// BtrfsConflict refuses a btrfs whose fsid is mounted from another device, as
// that of a snapshot's origin. The kernel keeps a list of devices by fsid: it
// would mount the other one instead, or mix the two. Since 6.7 it gives the
// second a temporary fsid (fs/btrfs/volumes.c, device_list_add; feature
// temp_fsid), and keeps them apart. A btrfs of several devices is one
// filesystem, which is mounted by any one of them: it has one mount path, too.
func BtrfsConflict(fsid, source string) error {
	return btrfsConflict("/sys/fs/btrfs", fsid, kernelName(source))
}

// btrfsConflict is BtrfsConflict with sysfs mounted elsewhere. The folder
// "devices" has a link for each device of a mounted filesystem, by the name
// that the kernel gives it (fs/btrfs/sysfs.c). filepath.Base keeps a hostile
// fsid from leading out of it.
func btrfsConflict(sysfs, fsid, device string) error {
	mounted, err := os.ReadDir(filepath.Join(sysfs, filepath.Base(fsid), "devices"))
	if err != nil {
		return nil // none of that fsid is mounted
	}
	for _, d := range mounted {
		if d.Name() == device && len(mounted) > 1 {
			return fmt.Errorf("%w (fsid %s): it lies on several, of which this is one",
				errSameFSID, fsid)
		}
	}
	if _, err := os.Stat(filepath.Join(sysfs, "features/temp_fsid")); err == nil {
		return nil
	}
	for _, d := range mounted {
		if d.Name() != device {
			return fmt.Errorf("%w (fsid %s, /dev/%s), which this kernel cannot keep apart: "+
				"unmount it first, or use linux 6.7 or newer", errSameFSID, fsid, d.Name())
		}
	}
	return nil
}
