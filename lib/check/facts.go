package check

import (
	"maps"
	"slices"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/health"
	"thinmount/lib/label"
	"thinmount/lib/loop"
	"thinmount/lib/mount"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/thinpool"
)

// Facts is what there is of one pool, everywhere that it leaves traces. What is
// wrong about it is told by its methods alone (findings), without another look.
type Facts struct {
	Config   catalog.Pool
	Dir      string             // the catalog's
	Volumes  []catalog.Volume   // by name; those in operations, too
	Damaged  map[string]error   // volumes whose record cannot be read
	Live     *thinpool.Status   // of the pool's device; nil while inactive
	Meta     *thinpool.Metadata // nil where it cannot be read
	MetaErr  error
	Places   error // what is wrong with the names of its disks
	Backings []Backing
	Room     health.Room // below the pool's files

	HeadLooked bool   // headID and headErr tell
	HeadID     uint32 // the thin id that the head names
	HeadErr    error

	Devices []Device        // by our uuid
	Foreign []dm.Device     // by our names, with the uuid of others
	Copied  *backing.Copied // active under our uuid, and not this pool; nil is nothing

	Busy    map[string]bool // volumes that somebody is at work on
	Uses    map[string]Use  // of volumes that nobody is at work on
	Entries []refcount.Entry
	Temps   []catalog.Temp
	Nodes   []string // names below /dev/mapper without a device
	Aliases []string // volumes with a link below /run/thin/dev, but no device
	Utab    []UtabLine
	Losers  []registry.Loser // lines of fstab
}

// Backing is a disk or file as it is, beside what pool.json says.
type Backing struct {
	catalog.Backing
	Part    string
	Label   label.Label
	Size    int64  // bytes, label included
	Carries string // what lies there in place of a label
	Err     error  // of opening it, or of reading its label
	Lower   string // number of the device that the pool runs on; "" while inactive
	Loops   []loop.Info
}

// Device is a device-mapper device of the pool.
type Device struct {
	dm.Info
	Volume string // by its name; "" of a part, and of a name that is not ours
	ID     uint32 // of a volume
	Part   string // of the pool: "pool", "data", "meta"; "" of a volume
	Size   int64  // bytes, by its table
}

// Use is how a volume is used, by its record and by the kernel.
type Use struct {
	Record  refcount.Record
	Written bool // there is a record
	Damage  error
	Held    bool // activated on purpose, by its record
	Seen    refcount.Observed
	Unlined bool // mounted, and umount(8) would not call us
}

// UtabLine is a line of utab whose mount is not to be seen.
type UtabLine struct {
	mount.StaleLine
	Volume string
}

// unread names what could not be read.
func (f *Facts) unread() []string {
	all := slices.Sorted(maps.Keys(f.Damaged))
	for _, b := range f.Backings {
		if b.Err != nil {
			all = append(all, b.Part)
		}
	}
	slices.Sort(all)
	if f.MetaErr != nil {
		all = append(all, "ids")
	}
	return all
}

// device finds the device of a thin id.
func (f *Facts) device(id uint32) *Device {
	for i := range f.Devices {
		if d := &f.Devices[i]; d.Part == "" && d.ID == id {
			return d
		}
	}
	return nil
}

// Part finds a device of the pool itself.
func (f *Facts) Part(name string) *Device {
	for i := range f.Devices {
		if f.Devices[i].Part == name {
			return &f.Devices[i]
		}
	}
	return nil
}

// known tells whether a volume has a record, readable or not.
func (f *Facts) known(volume string) bool {
	for _, v := range f.Volumes {
		if v.Name == volume {
			return true
		}
	}
	return f.Damaged[volume] != nil
}

// inOperation tells whether an operation names the volume.
func (f *Facts) inOperation(volume string) bool {
	for _, op := range f.Config.Intents {
		if op.Volume == volume {
			return true
		}
	}
	return false
}

// transaction is the id that the pool itself is at; ok is false where nothing
// tells.
func (f *Facts) transaction() (id uint64, ok bool) {
	if f.Live != nil && f.Live.Mode != thinpool.ModeFail && f.Live.Mode != thinpool.ModeError {
		return f.Live.TransactionID, true
	}
	if f.Meta != nil {
		return f.Meta.TransactionID, true
	}
	return 0, false
}

// mismatch says that the catalog and the pool do not belong together. What the
// catalog says is being done then explains nothing.
func (f *Facts) mismatch() bool {
	id, ok := f.transaction()
	if !ok {
		return false
	}
	_, err := f.Config.Recovery(id)
	return err != nil
}

func (f *Facts) Backing(part string) Backing {
	for _, b := range f.Backings {
		if b.Part == part {
			return b
		}
	}
	return Backing{}
}
