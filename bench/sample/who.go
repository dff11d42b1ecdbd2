package sample

// The candidates: who did the work. The runner writes these names into the CSV,
// and the report finds the samples, the bounds and the colours by them.
const (
	Ours      = "thinmount"
	Helper    = "thinmount's helper" // without mount(8) or umount(8) before it
	Script    = "dmsetup"
	FloorC    = "floor in C"
	FloorGo   = "floor in Go"
	LVM       = "LVM thin"
	Btrfs     = "btrfs"
	Overlay   = "overlayfs"
	Reflink   = "cp --reflink"
	WorkAlone = "work alone" // a job's work, without a copy of a filesystem
	BareGo    = "bare Go"    // a Go program that does nothing
	List      = "thin-snap list"
)
