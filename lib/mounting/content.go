package mounting

import (
	"errors"

	"thinmount/lib/fault"
	"thinmount/lib/fsprobe"
)

// unprobed is the error of a volume on which no one filesystem is found.
func (m *mounting) unprobed(object string, err error) error {
	return &fault.Error{Object: object, Err: err, Hint: contentHint(object, fault.ShellPath(m.dir), err)}
}

// contentHint says what to do with what lies on a volume instead of a filesystem.
// dir is quoted for a shell.
func contentHint(object, dir string, err error) string {
	device := "d=$(thin-snap activate " + object + ") && "
	_, ambiguous := errors.AsType[*fsprobe.AmbiguousError](err)
	if ambiguous {
		return "look at it with: " + device + "wipefs $d; and name the right one: mount -t thin.ext4 " + object + " " + dir
	}
	other, ok := errors.AsType[*fsprobe.OtherError](err)
	if !ok {
		return "" // of reading: the device's own trouble
	}
	switch found := other.Result; found.Type {
	case "gpt", "dos":
		return "it has partitions: " + device + "losetup -fP --show $d; then mount /dev/loopNp1 and so on"
	case "crypto_LUKS":
		return "it is encrypted: " + device + "cryptsetup open $d NAME && mount /dev/mapper/NAME " + dir
	case "LVM2_member":
		return "it belongs to a volume group: " + device + "pvs $d, vgchange -ay GROUP, and mount its logical volumes"
	case "linux_raid_member":
		return "it belongs to an array: " + device + "mdadm --examine $d, mdadm --assemble, and mount the array"
	case "swap":
		return "it is swap space: " + device + "swapon $d"
	case "zfs_member":
		return "it belongs to a pool of ZFS: " + device + "zpool import -d $d"
	default:
		if found.Kind == fsprobe.Named {
			return "if that is right: mount -t thin." + found.Type + " " + object + " " + dir
		}
	}
	return device + "wipefs $d shows it, for the programs that know " + other.Result.Type
}
