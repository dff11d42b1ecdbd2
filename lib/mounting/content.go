package mounting

import (
	"errors"

	"thinmount/lib/fault"
	"thinmount/lib/fsprobe"
	"thinmount/lib/spec"
)

// unprobed returns the error of a volume on which the probe did not find
// exactly one filesystem.
func (m *mounting) unprobed(volume spec.Volume, err error) error {
	return &fault.Error{Object: volume.String(), Err: err, Remedy: content(volume, m.dir, err)}
}

// content says what to do with a volume that was to be mounted on dir and
// carries something else than one filesystem. It returns nil if the device
// could not be read.
func content(volume spec.Volume, dir string, err error) fault.Remedy {
	by := func(program string) fault.Remedy {
		return fault.OnDevice{Volume: volume, Program: program}
	}
	_, ambiguous := errors.AsType[*fsprobe.AmbiguousError](err)
	if ambiguous {
		return fault.Sayf("look at it with: %v; and name the right one: %v", by("wipefs $d"),
			fault.Mount{Volume: volume, Path: dir, FSType: "ext4"})
	}
	other, ok := errors.AsType[*fsprobe.OtherError](err)
	if !ok {
		return nil // the device could not be read
	}
	switch found := other.Result; found.Type {
	case "gpt", "dos":
		return fault.Sayf("it has partitions: %v; then mount /dev/loopNp1 and so on",
			by("losetup -fP --show $d"))
	case "crypto_LUKS":
		return fault.Sayf("it is encrypted: %v",
			by("cryptsetup open $d NAME && mount /dev/mapper/NAME "+fault.ShellPath(dir)))
	case "LVM2_member":
		return fault.Sayf(
			"it belongs to a volume group: %v, vgchange -ay GROUP, and mount its logical volumes",
			by("pvs $d"))
	case "linux_raid_member":
		return fault.Sayf("it belongs to an array: %v, mdadm --assemble, and mount the array",
			by("mdadm --examine $d"))
	case "swap":
		return fault.Sayf("it is swap space: %v", by("swapon $d"))
	case "zfs_member":
		return fault.Sayf("it belongs to a pool of ZFS: %v", by("zpool import -d $d"))
	default:
		if found.Kind == fsprobe.Named {
			return fault.Sayf("if that is right: %v",
				fault.Mount{Volume: volume, Path: dir, FSType: found.Type})
		}
	}
	return fault.Sayf("%v shows it, for the programs that know %s", by("wipefs $d"),
		other.Result.Type)
}
