package check

import (
	"fmt"

	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/refcount"
	"thinmount/lib/spec"
)

// Repair says what is to be done about a finding. It is one of the types in
// this file. Package inspect carries each of them out. String returns the words
// that a user agrees to.
type Repair interface {
	fmt.Stringer
	repair()
}

// The repairs of a pool's metadata.
type (
	// RunThinCheck has thin_check(8) look at the metadata.
	RunThinCheck struct{}
	// ReleaseSnapshot releases the snapshot of the metadata.
	ReleaseSnapshot struct{}
	// ReserveHead gives the pool a head.
	ReserveHead struct{}
)

// The repairs of the catalog.
type (
	// RemoveRecord removes the record of a volume.
	RemoveRecord struct {
		Volume string
		ID     spec.ID // thin id in the record
		Cause  string  // KindMissing, KindReused or KindDuplicate
	}
	// SetSize corrects the size in the record of a volume.
	SetSize struct {
		Volume string
		Size   int64 // bytes
	}
	// NameID gives a name to a thin id without one.
	NameID struct {
		Volume        spec.Volume
		ID            spec.ID
		Size          int64  // bytes
		TransactionID uint64 // at which the thin id was made
	}
	// TakeOver writes the pool's transaction id to the journal, which then has
	// no intents.
	TakeOver struct {
		TransactionID uint64
		Forget        []catalog.Intent // all that the journal has
	}
	// ForgetIntent drops the intent of a volume, and does not recover it.
	ForgetIntent struct {
		Volume        string
		TransactionID uint64 // the pool's; 0 if nothing tells it
	}
	// FinishDelete finishes a deletion that was interrupted.
	FinishDelete struct {
		Volume string // "" for the pool itself
		ID     spec.ID
	}
	// UndoCreate removes what an interrupted command was making.
	UndoCreate struct {
		Volume string // "" for the pool itself
		ID     spec.ID
	}
	// RemoveTemp removes the file of an interrupted write to the catalog.
	RemoveTemp struct{ Temp catalog.Temp }
)

// The repairs of a pool's devices.
type (
	// Resume resumes a device.
	Resume struct {
		Device string
		Part   string // as in Device.Part
	}
	// RemoveDevice removes a device that nobody uses.
	RemoveDevice struct {
		Device string
		Part   string // as in Device.Part
	}
	// RemoveNode removes a node below /dev/mapper that leads to no device.
	RemoveNode struct{ Node string }
	// RemoveLink removes the link to the device of a volume.
	RemoveLink struct{ Volume string }
)

// The repairs of files below /run/thin, and of utab.
type (
	// CorrectRecord makes the record of a volume's references agree with what
	// is mounted.
	CorrectRecord struct{ Volume string }
	// RemoveEntry removes a file of a volume below /run/thin.
	RemoveEntry struct{ Entry refcount.Entry }
	// WriteLines adds the lines that the mount of a volume lacks in utab.
	WriteLines struct{ Volume string }
	// RemoveLines removes the lines of a mount that is gone from utab.
	RemoveLines struct{ Target string }
)

// The repairs of strays. Pool is the name of a pool that does not exist.
type (
	// RemoveFolder removes the pool's folder in the catalog.
	RemoveFolder struct{ Pool string }
	// RemoveStrayNode is RemoveNode for a node of the pool.
	RemoveStrayNode struct{ Pool, Node string }
	// RemoveLinks removes the pool's folder of links to devices.
	RemoveLinks struct{ Pool string }
	// RemoveStrayEntry is RemoveEntry for a file of the pool.
	RemoveStrayEntry struct{ Entry refcount.Entry }
)

func (RunThinCheck) repair()     {}
func (ReleaseSnapshot) repair()  {}
func (ReserveHead) repair()      {}
func (RemoveRecord) repair()     {}
func (SetSize) repair()          {}
func (NameID) repair()           {}
func (TakeOver) repair()         {}
func (ForgetIntent) repair()     {}
func (FinishDelete) repair()     {}
func (UndoCreate) repair()       {}
func (RemoveTemp) repair()       {}
func (Resume) repair()           {}
func (RemoveDevice) repair()     {}
func (RemoveNode) repair()       {}
func (RemoveLink) repair()       {}
func (CorrectRecord) repair()    {}
func (RemoveEntry) repair()      {}
func (WriteLines) repair()       {}
func (RemoveLines) repair()      {}
func (RemoveFolder) repair()     {}
func (RemoveStrayNode) repair()  {}
func (RemoveLinks) repair()      {}
func (RemoveStrayEntry) repair() {}

func (RunThinCheck) String() string {
	return "have thin_check look at all of it, and take off the mark if it is sound; " +
		"meanwhile the pool is inactive, and other commands on it wait"
}

func (ReleaseSnapshot) String() string {
	return "release it; no command of thin-snap needs it any more"
}

func (ReserveHead) String() string {
	return "give them to a thin id of their own, and move what volumes have there; " +
		"the pool is activated anew, and meanwhile other commands on it wait"
}

func (r RemoveRecord) String() string {
	switch r.Cause {
	case KindReused:
		return "remove the record: then its thin id can be named anew"
	case KindDuplicate:
		return "remove this one of the two records"
	}
	return "remove the record"
}

func (r SetSize) String() string { return "set the record's size to " + fault.ExactSize(r.Size) }

func (r NameID) String() string {
	return fmt.Sprintf("name it %s, of %s", r.Volume, fault.ExactSize(r.Size))
}

func (r TakeOver) String() string {
	s := fmt.Sprintf("take %d over into the journal", r.TransactionID)
	for _, op := range r.Forget {
		s += fmt.Sprintf("; forget the %s of %s that was under way when the copy was made",
			op.Op, op.Volume)
	}
	return s
}

func (ForgetIntent) String() string     { return "forget it" }
func (FinishDelete) String() string     { return "finish it, as the next command does by itself" }
func (UndoCreate) String() string       { return "undo it, as the next command does by itself" }
func (Resume) String() string           { return "resume it" }
func (RemoveDevice) String() string     { return "remove it" }
func (RemoveNode) String() string       { return "remove it" }
func (RemoveLink) String() string       { return "remove the link" }
func (RemoveEntry) String() string      { return "remove it" }
func (RemoveTemp) String() string       { return "remove it" }
func (WriteLines) String() string       { return "write its lines" }
func (RemoveLines) String() string      { return "remove its lines" }
func (RemoveFolder) String() string     { return "remove it" }
func (RemoveStrayNode) String() string  { return "remove it" }
func (RemoveLinks) String() string      { return "remove the folder" }
func (RemoveStrayEntry) String() string { return "remove it" }

func (CorrectRecord) String() string {
	return "make its record of references say what is mounted"
}
