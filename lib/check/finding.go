package check

import (
	"reflect"

	"thinmount/lib/fault"
)

// Finding is one thing that is wrong with a pool, or that was left over.
type Finding struct {
	Kind   string       // one of the Kind constants
	Object string       // POOL, POOL/VOLUME, "POOL: thin id N", a device, or a path
	What   string       // what is wrong with it
	Repair Repair       // what is to be done about it; nil if a user has to decide that
	Remedy fault.Remedy // what a user can do if Repair is nil
	Done   bool         // it was repaired
}

// Values of Finding.Kind. The comment says what was found.
const (
	KindTransaction  = "transaction-id" // catalog and pool differ, and no intent explains it
	KindInterrupted  = "interrupted"    // a command died before it was done
	KindOrphan       = "orphan-id"      // a thin id without a name
	KindMissing      = "missing-id"     // a name whose thin id does not exist
	KindDuplicate    = "duplicate-id"   // two names for one thin id
	KindReused       = "reused-id"      // a name whose thin id others have made anew
	KindSize         = "size"           // a record with another size than its volume
	KindDamaged      = "damaged-record" // a file of the catalog that cannot be read
	KindMode         = "pool-mode"      // the pool failed, is read-only or full, or needs a check
	KindMetadata     = "metadata"       // metadata that cannot be read
	KindMetaSnapshot = "held-snapshot"  // a snapshot of the metadata that was not released
	KindHead         = "first-blocks"   // the pool's first data blocks may be a volume's
	KindLabel        = "label"          // a disk or file that is not the pool's
	KindBacking      = "backing"        // the pool runs on another disk or file than pool.json says
	KindLoop         = "loop"           // a loop device over the pool's file that is not the pool's
	KindForeign      = "foreign-device" // a device with our name that is not ours
	KindDevice       = "device"         // a device that was left over, or has the wrong name
	KindSuspended    = "suspended"      // a suspended device, whose users wait
	KindNode         = "node"           // a node below /dev/mapper without a device
	KindAlias        = "alias"          // a link below /run/thin/dev without a device
	KindRecord       = "record"         // a record of references that differs from what is mounted
	KindLock         = "lock"           // the lock file of a volume or pool that does not exist
	KindTemp         = "temp-file"      // the file of an interrupted write
	KindFolder       = "folder"         // the folder of a pool that does not exist
	KindUtab         = "utab"           // a line whose mount is gone, or a mount without its lines
	KindFstab        = "fstab"          // a second line for a volume
)

// sameAs tells whether two findings have the same kind, object and repair. A
// user who has agreed to one repair has not agreed to any other.
func (f Finding) sameAs(o Finding) bool {
	return f.Kind == o.Kind && f.Object == o.Object && reflect.DeepEqual(f.Repair, o.Repair)
}
