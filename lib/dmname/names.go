package dmname

import (
	"fmt"
	"strconv"
	"strings"

	"thinmount/lib/dm"
)

// The devices below a pool.
const (
	Pool = "pool"
	Data = "data"
	Meta = "meta"
	Head = "head" // the thin device that has the first blocks, while they are written
)

const (
	Prefix     = "thin-"
	UUIDPrefix = "THIN-"
)

// Volume is the dm name of a volume. LVM allows no '@' in a name, and
// neither do pools and volumes here, so no two can meet.
func Volume(pool, volume string) string { return Prefix + pool + "@" + volume }

// Part is the dm name of a device below a pool.
func Part(pool, part string) string { return Prefix + pool + "@@" + part }

// VolumeUUID is the dm uuid of an activation: the kernel holds it unique, and
// so keeps a volume from being active twice.
func VolumeUUID(poolUUID string, id uint32) string {
	return fmt.Sprintf("%s%s-%d", UUIDPrefix, poolUUID, id)
}

func PartUUID(poolUUID, part string) string { return UUIDPrefix + poolUUID + "-" + part }

// ParseVolume is the inverse of volumeName.
func ParseVolume(name string) (pool, volume string, ok bool) {
	rest, ok := strings.CutPrefix(name, Prefix)
	if !ok {
		return "", "", false
	}
	pool, volume, ok = strings.Cut(rest, "@")
	return pool, volume, ok && pool != "" && volume != "" && !strings.Contains(volume, "@")
}

// OfNode is the name of the volume's device to whose node path leads.
func OfNode(path string) (name string, ok bool) {
	name, ok = strings.CutPrefix(path, "/dev/mapper/")
	if ok {
		_, _, ok = ParseVolume(name)
	}
	return name, ok
}

// ParseVolumeUUID is the inverse of volumeUUID.
func ParseVolumeUUID(uuid string) (poolUUID string, id uint32, ok bool) {
	rest, ok := strings.CutPrefix(uuid, UUIDPrefix)
	if !ok {
		return "", 0, false
	}
	poolUUID, number, ok := strings.Cut(rest, "-")
	n, err := strconv.ParseUint(number, 10, 24)
	return poolUUID, uint32(n), ok && err == nil && VolumeUUID(poolUUID, uint32(n)) == uuid
}

func VolumeRef(poolUUID string, id uint32) dm.Ref { return dm.ByUUID(VolumeUUID(poolUUID, id)) }
