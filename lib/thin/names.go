package thin

import (
	"fmt"
	"strconv"
	"strings"

	"thinmount/lib/dm"
	"thinmount/lib/thinpool"
)

// The devices below a pool.
const (
	partPool = "pool"
	partData = "data"
	partMeta = "meta"
	partHead = "head" // the thin device that has the first blocks, while they are written
)

const (
	namePrefix = "thin-"
	uuidPrefix = "THIN-"
)

// volumeName is the dm name of a volume. LVM allows no '@' in a name, and
// neither do pools and volumes here, so no two can meet.
func volumeName(pool, volume string) string { return namePrefix + pool + "@" + volume }

// partName is the dm name of a device below a pool.
func partName(pool, part string) string { return namePrefix + pool + "@@" + part }

// volumeUUID is the dm uuid of an activation: the kernel holds it unique, and
// so keeps a volume from being active twice.
func volumeUUID(poolUUID string, id uint32) string {
	return fmt.Sprintf("%s%s-%d", uuidPrefix, poolUUID, id)
}

func partUUID(poolUUID, part string) string { return uuidPrefix + poolUUID + "-" + part }

// splitVolumeName is the inverse of volumeName.
func splitVolumeName(name string) (pool, volume string, ok bool) {
	rest, ok := strings.CutPrefix(name, namePrefix)
	if !ok {
		return "", "", false
	}
	pool, volume, ok = strings.Cut(rest, "@")
	return pool, volume, ok && pool != "" && volume != "" && !strings.Contains(volume, "@")
}

// nodeName is the name of the volume's device to whose node path leads.
func nodeName(path string) (name string, ok bool) {
	name, ok = strings.CutPrefix(path, "/dev/mapper/")
	if ok {
		_, _, ok = splitVolumeName(name)
	}
	return name, ok
}

// splitVolumeUUID is the inverse of volumeUUID.
func splitVolumeUUID(uuid string) (poolUUID string, id uint32, ok bool) {
	rest, ok := strings.CutPrefix(uuid, uuidPrefix)
	if !ok {
		return "", 0, false
	}
	poolUUID, number, ok := strings.Cut(rest, "-")
	n, err := strconv.ParseUint(number, 10, 24)
	return poolUUID, uint32(n), ok && err == nil && volumeUUID(poolUUID, uint32(n)) == uuid
}

func volumeRef(poolUUID string, id uint32) dm.Ref { return dm.ByUUID(volumeUUID(poolUUID, id)) }

// thinTarget is the table of a volume of size bytes on the pool device.
func thinTarget(pool dm.DevNo, id uint32, size int64) dm.Target {
	return thinpool.Thin{Pool: pool, ID: thinpool.ID(id), Size: dm.Sectors(size / dm.SectorSize)}.Target()
}
