package main

import (
	"fmt"
	"time"

	"thinmount/lib/thin"
)

const volumeDefaults = "name,size,used,origin,mounted_on,references,created"

func volumeColumns() []column[thin.VolumeInfo] {
	type v = thin.VolumeInfo
	return []column[v]{
		{"name", "NAME", "pool/volume", false, func(i v) any { return i.Name }},
		{"pool", "POOL", "the pool it is in", false, func(i v) any { return i.Pool }},
		{"id", "ID", "its thin id in the pool", true, func(i v) any { return int64(i.ID) }},
		{"size", "SIZE", "size of the device", true, func(i v) any { return bytes(i.Size) }},
		{"used", "USED", "mapped in the pool, shared with other volumes or not", true, func(i v) any { return known(i.Used) }},
		{"origin", "ORIGIN", "what it is a snapshot of", false, func(i v) any { return orNil(i.Origin) }},
		{"fs", "FS", "filesystem that it was formatted with", false, func(i v) any { return nonEmpty(i.FS) }},
		{"active", "ACTIVE", "whether its device is there", false, func(i v) any { return i.Active }},
		{"device", "DEVICE", "path of its device", false, func(i v) any { return nonEmpty(i.Device) }},
		{"mounted_on", "MOUNTED ON", "its one mount path", false, func(i v) any { return nonEmpty(mountedOn(i)) }},
		{"mounted_in", "MOUNTED IN", "process in whose mount namespace that is, if it is not this one", true, func(i v) any { return orNone(i.MountedIn) }},
		{"references", "REFS", "umounts until it is unmounted", true, func(i v) any { return int64(i.References) }},
		{"created", "CREATED", "time of its creation", false, func(i v) any { return i.Created }},
	}
}

// volumeJSON has the JSON fields of a volume. A field is null if its value is
// not known or the property does not apply.
type volumeJSON struct {
	Name       string    `json:"name"`
	Pool       string    `json:"pool"`
	ID         uint32    `json:"id"`
	Size       int64     `json:"size"`
	Used       *int64    `json:"used"`
	Origin     *string   `json:"origin"`
	FS         *string   `json:"fs"`
	Active     bool      `json:"active"`
	Device     *string   `json:"device"`
	MountedOn  *string   `json:"mounted_on"`
	References int       `json:"references"`
	Created    time.Time `json:"created"`
	MountedIn  *int      `json:"mounted_in"`
}

func volumeListing(command string) *listing[thin.VolumeInfo] {
	return &listing[thin.VolumeInfo]{command: command, key: "volumes", all: volumeColumns(), defaults: volumeDefaults,
		record: func(i thin.VolumeInfo) any {
			return volumeJSON{i.Name, i.Pool, i.ID, i.Size, i.Used, i.Origin, pointer(i.FS), i.Active, pointer(i.Device),
				pointer(i.MountedOn), i.References, jsonTime(i.Created), nonZero(i.MountedIn)}
		}}
}

// mountedOn returns the mount path, and a process in its mount namespace if
// that is not ours.
func mountedOn(i thin.VolumeInfo) string {
	if i.MountedIn == 0 {
		return i.MountedOn
	}
	return fmt.Sprintf("%s (process %d)", i.MountedOn, i.MountedIn)
}
