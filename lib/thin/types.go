package thin

import (
	"thinmount/lib/backing"
	"thinmount/lib/check"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/mounting"
	"thinmount/lib/pools"
	"thinmount/lib/registry"
	"thinmount/lib/volumes"
)

// What the use cases take and return. Each type is documented where it is
// declared.
type (
	MountRequest      = mounting.MountRequest
	UnmountRequest    = mounting.UnmountRequest
	CreateSpec        = volumes.CreateSpec
	SnapshotOptions   = volumes.SnapshotOptions
	VolumeInfo        = volumes.VolumeInfo
	DeleteOptions     = engine.DeleteOptions
	PoolSpec          = pools.PoolSpec
	PoolInfo          = pools.PoolInfo
	GrowSpec          = pools.GrowSpec
	Growth            = pools.Growth
	Settings          = pools.Settings
	DeactivateOptions = pools.DeactivateOptions
	Finding           = check.Finding
	Error             = fault.Error
	Remedy            = fault.Remedy // its types are in package fault
	Hint              = fault.Hint
	Message           = fault.Message
	RunAsRoot         = fault.RunAsRoot
)

// What can go wrong, as far as a caller decides by it (exit codes). Every error of
// this package that has such a reason is one of these by errors.Is.
var (
	ErrUsage      = fault.ErrUsage
	ErrPermission = fault.ErrPermission
	ErrNoKernel   = fault.ErrNoKernel
	ErrNotFound   = fault.ErrNotFound
	ErrExists     = fault.ErrExists
	ErrBusy       = fault.ErrBusy
	ErrPoolState  = fault.ErrPoolState
	ErrInterrupt  = fault.ErrInterrupt
	ErrCopy       = fault.ErrCopy
	ErrNoBacking  = fault.ErrNoBacking
)

// Kinds of findings that callers tell apart.
const (
	KindFolder = check.KindFolder
	KindMode   = check.KindMode
	KindOrphan = check.KindOrphan
)

// Sayf makes a Message; a Remedy among args stands at a %v.
func Sayf(format string, args ...any) Message { return fault.Sayf(format, args...) }

// RemedyOf returns what helps against err, or nil.
func RemedyOf(err error) Remedy { return host.RemedyOf(err) }

// Text returns what err says, as people are to read it.
func Text(err error) string { return fault.Text(err) }

// Count returns n and the noun, in the plural unless n is 1.
func Count(n int, noun string) string { return fault.Count(n, noun) }

// HasVolumes returns the error of a pool that is not deleted because it has
// volumes.
func HasVolumes(pool string, names []string) error { return backing.HasVolumes(pool, names) }

// IsMisplaced says that err is of a folder of a pool that was copied or moved.
func IsMisplaced(err error) bool { return registry.IsMisplaced(err) }
