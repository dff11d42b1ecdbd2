package helper

import (
	"fmt"
	"strconv"
	"time"

	"thinmount/lib/fault"
	"thinmount/lib/thin"
)

// Advice returns what a person who gets err can type or do about it; "" if that
// is not known.
func Advice(err error) string { return Words(thin.RemedyOf(err)) }

// Words puts a remedy into words. It quotes paths in commands for a shell.
func Words(r thin.Remedy) string {
	switch r := r.(type) {
	case nil:
		return ""
	case fault.Hint:
		return string(r)
	case fault.Message:
		return r.In(Words)
	case fault.Option:
		return "--" + string(r)
	case fault.RunAsRoot:
		return "run it as root"
	case fault.OnDevice:
		return "d=$(" + command("activate", r.Volume.String()) + ") && " + r.Program
	case fault.Mount:
		fstype := "thin"
		if r.FSType != "" {
			fstype += "." + r.FSType
		}
		return "mount -t " + fstype + " " + r.Volume.String() + " " + fault.ShellPath(r.Path)
	case fault.Unmount:
		return "umount " + fault.ShellPath(r.Path) + times(r.Times)
	case fault.UnmountElsewhere:
		if r.PID == 0 {
			return "umount " + fault.ShellPath(r.Path) + " there"
		}
		return "nsenter -m -t " + strconv.Itoa(r.PID) + " umount " + fault.ShellPath(r.Path)
	case fault.EndRun:
		return "wait for its end, or end it: kill " + strconv.Itoa(r.PID)
	case fault.UnmountByHelper:
		return "umount.thin " + fault.ShellPath(r.Path)
	case fault.SaveMetadata:
		return saveMetadata(r)
	case fault.RestartPool:
		return command("pool deactivate --unmount", r.Pool) + " && " +
			command("pool activate", r.Pool)
	case fault.CompareRecords:
		return command("pool check", r.Pool) + " shows what differs, and with --repair mends it"
	}
	verb, object := ofVolumes(r)
	if verb == "" {
		verb, object = ofPools(r)
	}
	if verb == "" {
		return ""
	}
	return command(verb, object)
}

// ofVolumes returns the command for a remedy that is a use case of volumes, and
// what it works on.
func ofVolumes(r thin.Remedy) (verb, object string) {
	var volume thin.Volume
	switch r := r.(type) {
	case fault.ListVolumes:
		return "list", r.Pool
	case fault.Snapshot:
		return "snapshot", r.Volume.String() + " " + r.Volume.String() + "-2"
	case fault.CreateVolume:
		verb, volume = "create --size SIZE --fs ext4", r.Volume
	case fault.DeleteVolume:
		verb, volume = "delete", r.Volume
	case fault.DeactivateVolume:
		verb, volume = "deactivate", r.Volume
	case fault.FormatVolume:
		verb, volume = "format --fs ext4", r.Volume
	}
	if volume == (thin.Volume{}) { // the user chooses it
		return verb, "POOL/VOLUME"
	}
	return verb, volume.String()
}

// ofPools returns the command for a remedy that is a use case of pools, and
// what it works on.
func ofPools(r thin.Remedy) (verb, object string) {
	switch r := r.(type) {
	case fault.ListPools:
		return "pool list", ""
	case fault.ShowPool:
		return "pool show", r.Pool
	case fault.CreatePool:
		if r.Pool == "" {
			return "pool create", "NAME"
		}
		return "pool create", r.Pool
	case fault.CreatePoolHelp:
		return "pool create", "--help"
	case fault.GrowPool:
		verb = "pool grow" + growth("--size", r.Data) + growth("--metadata-size", r.Metadata)
		return verb, r.Pool
	case fault.RecoverPool:
		return "recover", r.Pool
	case fault.ActivatePool:
		return "pool activate", r.Pool
	case fault.DeactivatePool:
		if r.Unmount {
			return "pool deactivate -u", r.Pool
		}
		return "pool deactivate", r.Pool
	case fault.DeletePool:
		if r.Volumes {
			return "pool delete -r", r.Pool
		}
		return "pool delete", r.Pool
	case fault.CheckPool:
		return "pool check", r.Pool
	case fault.RepairPool:
		return "pool check --repair", r.Pool
	case fault.SetFreezeLimit:
		return "pool set freeze-limit=" + strconv.Itoa(int(r.Limit/time.Second)) + "s", r.Pool
	case fault.NameDisk:
		return "pool set " + r.Role + "=/dev/disk/by-id/LINK", r.Pool
	}
	return "", ""
}

// command returns a command of thin-snap on an object, which may be "".
func command(verb, object string) string {
	if object != "" {
		object = " " + object
	}
	return "thin-snap " + verb + object
}

// times says how often a person has to unmount, or "" if once is enough.
func times(n int) string {
	if n <= 1 {
		return ""
	}
	return " (" + strconv.Itoa(n) + " times: it has " + thin.Count(n, "reference") + ")"
}

// growth returns the option that says how large a part of a pool is to become,
// with a space before it. It returns "" if the part stays as it is.
func growth(option string, g fault.Growth) string {
	switch {
	case g == fault.Growth{}:
		return ""
	case g.Size == 0:
		return " " + option + " +SIZE"
	case g.More:
		return " " + option + " +" + fault.SizeText(g.Size)
	}
	return " " + option + " " + fault.SizeText(g.Size)
}

// saveMetadata returns the commands that repair damaged metadata. They make the
// part behind the label a device of its own, because the programs take no
// offset. They keep the damaged metadata in a file. The files are in /var/tmp,
// because the programs read past the page cache, which a tmpfs does not
// support.
func saveMetadata(r fault.SaveMetadata) string {
	return fmt.Sprintf(
		"%[5]s && dev=$(losetup --find --show --offset %[2]d --sizelimit %[3]d %[4]s) && "+
			"dd if=$dev of=/var/tmp/%[1]s.damaged bs=1M conv=sparse && truncate -s %[3]d "+
			"/var/tmp/%[1]s.repaired && "+
			"thin_repair -i $dev -o /var/tmp/%[1]s.repaired && dd if=/var/tmp/%[1]s.repaired "+
			"of=$dev bs=1M conv=fsync; "+
			"losetup --detach $dev; %[6]s", r.Pool, r.Offset, r.Size, fault.ShellPath(r.Path),
		command("pool deactivate", r.Pool), command("pool check --repair", r.Pool))
}
