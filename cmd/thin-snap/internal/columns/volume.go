package columns

import (
	"fmt"
	"time"

	"thinmount/cmd/thin-snap/internal/table"
	"thinmount/lib/thin"
)

const volumeDefaults = "name,size,used,origin,mounted_on,references,created"

func volumeColumns() []table.Column[thin.VolumeInfo] {
	type v = thin.VolumeInfo
	return []table.Column[v]{
		table.Left("name", "NAME", "pool/volume",
			func(i v) any { return i.Volume.String() }),
		table.Left("pool", "POOL", "the pool it is in",
			func(i v) any { return i.Volume.Pool }),
		table.Right("id", "ID", "its thin id in the pool",
			func(i v) any { return int64(i.ID) }),
		table.Right("size", "SIZE", "size of the device",
			func(i v) any { return table.Bytes(i.Size) }),
		table.Right("used", "USED", "mapped in the pool, shared with other volumes or not",
			func(i v) any { return known(i.Used) }),
		table.Left("origin", "ORIGIN", "what it is a snapshot of",
			func(i v) any { return orNil(nameOf(i.Origin)) }),
		table.Left("fs", "FS", "filesystem that it was formatted with",
			func(i v) any { return nonEmpty(i.FS) }),
		table.Left("read_only", "RO", "whether it was made read-only",
			func(i v) any { return i.ReadOnly }),
		table.Left("active", "ACTIVE", "whether its device is there",
			func(i v) any { return i.Active }),
		table.Left("device", "DEVICE", "path of its device",
			func(i v) any { return nonEmpty(i.Device) }),
		table.Left("mounted_on", "MOUNTED ON", "its one mount path",
			func(i v) any { return nonEmpty(mountedOn(i)) }),
		table.Right("mounted_in", "MOUNTED IN",
			"process in whose mount namespace that is, if it is not this one",
			func(i v) any { return orNone(i.MountedIn) }),
		table.Right("references", "REFS", "umounts until it is unmounted",
			func(i v) any { return int64(i.References) }),
		table.Left("created", "CREATED", "time of its creation",
			func(i v) any { return i.Created }),
		table.Several("properties", "PROPERTIES", "what thin-snap set has noted about it",
			func(i v) any { return nonEmpty(joined(i.Properties)) }, eachProperty),
	}
}

// volumeJSON has the JSON fields of a volume. A field is null if its value is
// not known or the property does not apply.
type volumeJSON struct {
	Name       string    `json:"name"`
	Pool       string    `json:"pool"`
	ID         thin.ID   `json:"id"`
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
	ReadOnly   bool      `json:"read_only"`

	Properties thin.Properties `json:"properties"`
}

// Volumes returns the listing of volumes for a command, which is named in JSON.
func Volumes(command string) *table.Listing[thin.VolumeInfo] {
	return &table.Listing[thin.VolumeInfo]{
		Command: command, Key: "volumes", Columns: volumeColumns(), Defaults: volumeDefaults,
		Free: freeColumn,
		Record: func(i thin.VolumeInfo) any {
			return volumeJSON{i.Volume.String(), i.Volume.Pool, i.ID, i.Size, i.Used,
				nameOf(i.Origin), table.OrNull(i.FS), i.Active, table.OrNull(i.Device),
				table.OrNull(i.MountedOn), i.References, table.Time(i.Created),
				nonZero(i.MountedIn), i.ReadOnly, orEmpty(i.Properties)}
		},
	}
}

// nameOf returns POOL/VOLUME, or nil if v is nil.
func nameOf(v *thin.Volume) *string {
	if v == nil {
		return nil
	}
	return table.OrNull(v.String())
}

// mountedOn returns the mount path, and a process in its mount namespace if
// that is not ours.
func mountedOn(i thin.VolumeInfo) string {
	if i.MountedIn == 0 {
		return i.MountedOn
	}
	return fmt.Sprintf("%s (process %d)", i.MountedOn, i.MountedIn)
}
