package host

import (
	"thinmount/lib/dm"
)

// The flags say which udev rules run for our devices. The disk rules never run:
// they probe a device and make its links in /dev/disk. A volume's device comes
// and goes with each mount, and a probe would keep it open when it is to be
// removed. A snapshot has the UUID and label of its origin, and must not take
// over the origin's links. All other rules run for volumes: without them
// systemd believes that the device of a mount unit does not exist. They do not
// run for the parts of a pool, which nobody is to use.
const (
	VolumeCookie = dm.PrimarySource | dm.DisableDiskRules
	HiddenCookie = VolumeCookie | dm.DisableOtherRules | dm.DisableSubsystemRules
)
