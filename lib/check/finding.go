package check

import (
	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/refcount"
)

// Finding is one thing that is wrong about a pool, or was left over.
type Finding struct {
	Kind   string       // one of the Kind constants
	Object string       // POOL, POOL/VOLUME, "POOL: thin id N", a device, or a path
	What   string       // what is wrong with it
	Repair string       // what RepairPool does about it; "" when that is not for a program to decide
	Remedy fault.Remedy // what somebody can do where Repair is ""
	Done   bool         // repaired by now

	Pool, Node  string // of a stray
	Volume      string // the volume's name
	ID          uint32 // the thin id
	Size        int64  // bytes that the record should say
	Transaction uint64 // the transaction id that is taken over
	Forget      bool   // an operation is not to be recovered
	Entry       refcount.Entry
	Lines       bool // of a mount are missing in utab
	Temp        catalog.Temp
}

// Kinds of findings.
const (
	KindTransaction = "transaction-id" // catalog and pool are at different ones, and nothing explains it
	KindInterrupted = "interrupted"    // a command died in the middle
	KindOrphan      = "orphan-id"      // a thin id without a name
	KindMissing     = "missing-id"     // a name without a thin id
	KindDuplicate   = "duplicate-id"   // two names for one thin id
	KindReused      = "reused-id"      // a name for a thin id that somebody has made anew
	KindSize        = "size"           // a record smaller than its volume
	KindDamaged     = "damaged-record" // a file of the catalog that cannot be read
	KindMode        = "pool-mode"      // failed, read-only, full, needs a check
	KindMetadata    = "metadata"       // cannot be read
	KindHeld        = "held-snapshot"  // of the metadata
	KindHead        = "first-blocks"   // the pool's first data blocks may be a volume's
	KindLabel       = "label"          // a disk or file that is not the pool's
	KindBacking     = "backing"        // the pool runs on another disk or file than pool.json says
	KindLoop        = "loop"           // a loop device that is in the way
	KindForeign     = "foreign-device" // not ours, with our name
	KindDevice      = "device"         // left over
	KindSuspended   = "suspended"      // a device that makes its users wait
	KindNode        = "node"           // below /dev/mapper, of no device
	KindAlias       = "alias"          // below /run/thin/dev, of no device
	KindRecord      = "record"         // of references, against what is mounted
	KindLock        = "lock"           // file of a volume that is not there
	KindTemp        = "temp-file"      // of a write that was interrupted
	KindFolder      = "folder"         // of a pool that is not there
	KindUtab        = "utab"           // line of a mount that is gone, or a mount without its lines
	KindFstab       = "fstab"          // a second line for a volume
)

// plan identifies what is done about a finding: who has agreed to that has not
// agreed to anything else.
type plan struct{ kind, object, repair string }

func (f Finding) plan() plan { return plan{f.Kind, f.Object, f.Repair} }
