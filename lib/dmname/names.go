package dmname

import (
	"strconv"
	"strings"

	"thinmount/lib/dm"
	"thinmount/lib/spec"
)

// The parts of a pool: each is a device of its own in device-mapper.
const (
	Pool = "pool"
	Data = "data"
	Meta = "meta"
	Head = "head" // the thin device with the pool's first blocks; exists while they are written
)

const (
	// Every dm name of a pool or volume begins with Prefix, every dm uuid with
	// UUIDPrefix.
	Prefix     = "thin-"
	UUIDPrefix = "THIN-"
)

// Volume returns the dm name of a volume. No two volumes have the same one: the
// names of pools and volumes contain no '@'. Names of LVM contain none either,
// so no device of LVM has such a name.
func Volume(v spec.Volume) string { return Prefix + v.Pool + "@" + v.Name }

// Part returns the dm name of a part of a pool.
func Part(pool, part string) string { return Prefix + pool + "@@" + part }

// VolumeUUID returns the dm uuid of a volume's device. The kernel allows each
// uuid once, so a volume cannot be active twice.
func VolumeUUID(poolUUID string, id spec.ID) string {
	return UUIDPrefix + poolUUID + "-" + strconv.FormatUint(uint64(id), 10)
}

// PartUUID returns the dm uuid of a part of a pool.
func PartUUID(poolUUID, part string) string { return UUIDPrefix + poolUUID + "-" + part }

// ParseVolume returns the volume of a name that Volume made. ok is false for
// any other name, also for one that Part made.
func ParseVolume(name string) (v spec.Volume, ok bool) {
	rest, ok := strings.CutPrefix(name, Prefix)
	if !ok {
		return v, false
	}
	v.Pool, v.Name, ok = strings.Cut(rest, "@")
	return v, ok && v.Pool != "" && v.Name != "" && !strings.Contains(v.Name, "@")
}

// OfNode returns the dm name of the volume to whose device node path leads. ok
// is false if path is not the node of a volume in /dev/mapper.
func OfNode(path string) (name string, ok bool) {
	name, ok = strings.CutPrefix(path, "/dev/mapper/")
	if ok {
		_, ok = ParseVolume(name)
	}
	return name, ok
}

// ParseVolumeUUID splits a uuid that VolumeUUID made into the pool's uuid and
// the thin id. ok is false for any other uuid.
func ParseVolumeUUID(uuid string) (poolUUID string, id spec.ID, ok bool) {
	rest, ok := strings.CutPrefix(uuid, UUIDPrefix)
	if !ok {
		return "", 0, false
	}
	poolUUID, number, ok := strings.Cut(rest, "-")
	n, err := strconv.ParseUint(number, 10, 24)
	id = spec.ID(n)
	return poolUUID, id, ok && err == nil && VolumeUUID(poolUUID, id) == uuid
}

// VolumeRef returns the reference by which package dm finds a volume's device.
func VolumeRef(poolUUID string, id spec.ID) dm.Ref { return dm.ByUUID(VolumeUUID(poolUUID, id)) }
