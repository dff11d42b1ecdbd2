package host

import (
	"thinmount/lib/dm"
)

// What udev may do with our devices. Volumes come and go with every mount:
// probing them would hold them open when they are to go, and a snapshot has the
// UUID and label of its origin and must not take over its /dev/disk links. So no
// disk rules, which do both. The other rules stay on: without them systemd takes
// the device of a mount unit for one that is not there. The devices below a pool
// are nobody's business.
const (
	VolumeCookie = dm.PrimarySource | dm.DisableDiskRules
	HiddenCookie = VolumeCookie | dm.DisableOtherRules | dm.DisableSubsystemRules
)
