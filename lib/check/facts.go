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
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// Facts is what a look has found of one pool, in every place where a pool
// leaves traces. The method Findings tells what is wrong, from these facts
// alone.
type Facts struct {
	Config   catalog.Pool
	Dir      string             // the folder of the catalog
	Volumes  []catalog.Volume   // in the order of their names, also those with an intent
	Damaged  map[string]error   // why a volume's record cannot be read, by name
	Live     *thinpool.Status   // of the pool's device; nil while the pool is inactive
	Meta     *thinpool.Metadata // nil if it cannot be read
	MetaErr  error              // why it cannot be read
	Places   error              // what is wrong with the paths of its disks
	Backings []Backing
	Room     health.Room // below the pool's files

	HeadLooked bool    // HeadID and HeadErr are valid
	HeadID     spec.ID // the thin id that the head's headers name
	HeadErr    error   // what is wrong with the headers

	Devices []Device        // that have the pool's uuid
	Foreign []dm.Device     // that have the pool's name, but another uuid
	Copied  *backing.Copied // active under the pool's uuid, but not this pool; nil for none

	Busy    map[string]bool  // volumes whose lock a command holds
	Uses    map[string]Use   // of the other volumes, by name
	Entries []refcount.Entry // files below /run/thin
	Temps   []catalog.Temp   // files of interrupted writes to the catalog
	Nodes   []string         // names below /dev/mapper that lead to no device
	Aliases []string         // volumes with a link below /run/thin/dev, but no device
	Utab    []UtabLine       // lines without a mount
	Losers  []registry.Loser // lines of fstab that another line wins over
}

// Backing is a disk or file as a look has found it, and what pool.json says of
// it.
type Backing struct {
	catalog.Backing
	Part    string
	Label   label.Label
	Size    int64       // bytes, label included
	Carries string      // what backing.Carried found in place of a label
	Err     error       // of opening it, or of reading its label
	Lower   string      // number of the device that the pool runs on; "" while the pool is inactive
	Loops   []loop.Info // loop devices over the file
}

// Device is a device-mapper device with the pool's uuid.
type Device struct {
	dm.Info
	Volume string  // by the device's name; "" for a part, and for a name that is not ours
	ID     spec.ID // thin id of a volume
	Part   string  // of the pool: "pool", "data", "meta"; "" for a volume
	Size   int64   // bytes, by its table
}

// Use is how a volume is used, according to its record of references and to the
// kernel.
type Use struct {
	Record  refcount.Record
	Written bool              // the record exists
	Damage  error             // why the record cannot be read
	Pinned  bool              // the record says that a user activated it
	Seen    refcount.Observed // what the kernel says
	Unlined bool              // mounted, but umount(8) would not call umount.thin
}

// UtabLine is a line of utab whose mount was not found.
type UtabLine struct {
	mount.StaleLine
	Volume string // without the pool's name
}

// unread returns what this look could not read: names of volumes and parts, and
// "ids" for the metadata.
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

// device returns the device of a volume by its thin id, or nil.
func (f *Facts) device(id spec.ID) *Device {
	for i := range f.Devices {
		if d := &f.Devices[i]; d.Part == "" && d.ID == id {
			return d
		}
	}
	return nil
}

// Part returns a device of the pool itself, or nil. name is as in Device.Part.
func (f *Facts) Part(name string) *Device {
	for i := range f.Devices {
		if f.Devices[i].Part == name {
			return &f.Devices[i]
		}
	}
	return nil
}

// known tells whether the catalog has a record of a volume, readable or not.
func (f *Facts) known(volume string) bool {
	for _, v := range f.Volumes {
		if v.Name == volume {
			return true
		}
	}
	return f.Damaged[volume] != nil
}

// hasIntent tells whether an intent in the catalog names the volume.
func (f *Facts) hasIntent(volume string) bool {
	for _, op := range f.Config.Intents {
		if op.Volume == volume {
			return true
		}
	}
	return false
}

// transaction returns the transaction id of the pool itself: from its status
// or, if that does not tell, from its metadata. ok is false if neither tells.
func (f *Facts) transaction() (id uint64, ok bool) {
	if f.Live != nil && f.Live.Mode != thinpool.ModeFail && f.Live.Mode != thinpool.ModeError {
		return f.Live.TransactionID, true
	}
	if f.Meta != nil {
		return f.Meta.TransactionID, true
	}
	return 0, false
}

// mismatch tells whether the catalog and the pool do not belong together: no
// intent explains that their transaction ids differ. Then the intents explain
// no other difference either.
func (f *Facts) mismatch() bool {
	id, ok := f.transaction()
	if !ok {
		return false
	}
	_, err := f.Config.Recovery(id)
	return err != nil
}

// Backing returns the disk or file of a part, or the zero value.
func (f *Facts) Backing(part string) Backing {
	for _, b := range f.Backings {
		if b.Part == part {
			return b
		}
	}
	return Backing{}
}
