package thin

import "thinmount/lib/dm"

// What udev may do with our devices. Volumes come and go with every mount:
// probing them would hold them open when they are to go, and a snapshot has the
// UUID and label of its origin and must not take over its /dev/disk links. The
// devices below a pool are nobody's business.
const (
	volumeCookie = dm.PrimarySource | dm.DisableDiskRules | dm.DisableOtherRules
	hiddenCookie = volumeCookie | dm.DisableSubsystemRules
)
