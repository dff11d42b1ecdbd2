package mounting

import (
	"errors"

	"thinmount/lib/fault"
	"thinmount/lib/fsprobe"
)

// unprobed is the error of a volume on which no one filesystem is found.
func (m *mounting) unprobed(object string, err error) error {
	return &fault.Error{Object: object, Err: err, Remedy: content(object, m.dir, err)}
}

// content is what to do with what lies on a volume instead of a filesystem, which
// was to be mounted on dir; nil of an error of reading.
func content(object, dir string, err error) fault.Remedy {
	by := func(program string) fault.Remedy { return fault.OnDevice{Volume: object, Program: program} }
	_, ambiguous := errors.AsType[*fsprobe.AmbiguousError](err)
	if ambiguous {
		return fault.Sayf("look at it with: %v; and name the right one: %v", by("wipefs $d"), fault.Mount{Volume: object, Path: dir, FSType: "ext4"})
	}
	other, ok := errors.AsType[*fsprobe.OtherError](err)
	if !ok {
		return nil // the device's own trouble
	}
	switch found := other.Result; found.Type {
	case "gpt", "dos":
		return fault.Sayf("it has partitions: %v; then mount /dev/loopNp1 and so on", by("losetup -fP --show $d"))
	case "crypto_LUKS":
		return fault.Sayf("it is encrypted: %v", by("cryptsetup open $d NAME && mount /dev/mapper/NAME "+fault.ShellPath(dir)))
	case "LVM2_member":
		return fault.Sayf("it belongs to a volume group: %v, vgchange -ay GROUP, and mount its logical volumes", by("pvs $d"))
	case "linux_raid_member":
		return fault.Sayf("it belongs to an array: %v, mdadm --assemble, and mount the array", by("mdadm --examine $d"))
	case "swap":
		return fault.Sayf("it is swap space: %v", by("swapon $d"))
	case "zfs_member":
		return fault.Sayf("it belongs to a pool of ZFS: %v", by("zpool import -d $d"))
	default:
		if found.Kind == fsprobe.Named {
			return fault.Sayf("if that is right: %v", fault.Mount{Volume: object, Path: dir, FSType: found.Type})
		}
	}
	return fault.Sayf("%v shows it, for the programs that know %s", by("wipefs $d"), other.Result.Type)
}
