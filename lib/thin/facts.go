package thin

import (
	"maps"
	"slices"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/label"
	"thinmount/lib/loop"
	"thinmount/lib/mount"
	"thinmount/lib/refcount"
	"thinmount/lib/thinpool"
)

// facts is what there is of one pool, everywhere that it leaves traces. What is
// wrong about it is told by its methods alone (findings), without another look.
type facts struct {
	cfg      catalog.Pool
	dir      string             // the catalog's
	volumes  []catalog.Volume   // by name; those in operations, too
	damaged  map[string]error   // volumes whose record cannot be read
	live     *thinpool.Status   // of the pool's device; nil while inactive
	meta     *thinpool.Metadata // nil where it cannot be read
	metaErr  error
	places   error // what is wrong with the names of its disks
	backings []backing
	room     room // below the pool's files

	headLooked bool   // headID and headErr tell
	headID     uint32 // the thin id that the head names
	headErr    error

	devices []device    // by our uuid
	foreign []dm.Device // by our names, with the uuid of others
	copied  *copied     // active under our uuid, and not this pool; nil is nothing

	busy    map[string]bool // volumes that somebody is at work on
	uses    map[string]use  // of volumes that nobody is at work on
	entries []refcount.Entry
	temps   []catalog.Temp
	nodes   []string // names below /dev/mapper without a device
	aliases []string // volumes with a link below /run/thin/dev, but no device
	utab    []utabLine
	losers  []loser // lines of fstab
}

// backing is a disk or file as it is, beside what pool.json says.
type backing struct {
	catalog.Backing
	part    string
	label   label.Label
	size    int64  // bytes, label included
	carries string // what lies there in place of a label
	err     error  // of opening it, or of reading its label
	lower   string // number of the device that the pool runs on; "" while inactive
	loops   []loop.Info
}

// device is a device-mapper device of the pool.
type device struct {
	dm.Info
	volume string // by its name; "" of a part, and of a name that is not ours
	id     uint32 // of a volume
	part   string // of the pool: "pool", "data", "meta"; "" of a volume
	size   int64  // bytes, by its table
}

// use is how a volume is used, by its record and by the kernel.
type use struct {
	record  refcount.Record
	written bool // there is a record
	damage  error
	held    bool // activated on purpose, by its record
	seen    refcount.Observed
	unlined bool // mounted, and umount(8) would not call us
}

// utabLine is a line of utab whose mount is not to be seen.
type utabLine struct {
	mount.StaleLine
	volume string
}

// unread names what could not be read.
func (f *facts) unread() []string {
	all := slices.Sorted(maps.Keys(f.damaged))
	for _, b := range f.backings {
		if b.err != nil {
			all = append(all, b.part)
		}
	}
	slices.Sort(all)
	if f.metaErr != nil {
		all = append(all, "ids")
	}
	return all
}

// device finds the device of a thin id.
func (f *facts) device(id uint32) *device {
	for i := range f.devices {
		if d := &f.devices[i]; d.part == "" && d.id == id {
			return d
		}
	}
	return nil
}

// part finds a device of the pool itself.
func (f *facts) part(name string) *device {
	for i := range f.devices {
		if f.devices[i].part == name {
			return &f.devices[i]
		}
	}
	return nil
}

// known tells whether a volume has a record, readable or not.
func (f *facts) known(volume string) bool {
	for _, v := range f.volumes {
		if v.Name == volume {
			return true
		}
	}
	return f.damaged[volume] != nil
}

// inOperation tells whether an operation names the volume.
func (f *facts) inOperation(volume string) bool {
	for _, op := range f.cfg.Operations {
		if op.Volume == volume {
			return true
		}
	}
	return false
}

// transaction is the id that the pool itself is at; ok is false where nothing
// tells.
func (f *facts) transaction() (id uint64, ok bool) {
	if f.live != nil && f.live.Mode != thinpool.ModeFail && f.live.Mode != thinpool.ModeError {
		return f.live.TransactionID, true
	}
	if f.meta != nil {
		return f.meta.TransactionID, true
	}
	return 0, false
}

// mismatch says that the catalog and the pool do not belong together. What the
// catalog says is being done then explains nothing.
func (f *facts) mismatch() bool {
	id, ok := f.transaction()
	if !ok {
		return false
	}
	_, err := f.cfg.Recovery(id)
	return err != nil
}
