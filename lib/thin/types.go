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
	"thinmount/lib/running"
	"thinmount/lib/spec"
	"thinmount/lib/volumes"
)

// The types that the use cases take and return. Each is documented where it is
// declared.
type (
	Volume            = spec.Volume
	ID                = spec.ID
	OnFull            = spec.OnFull
	Properties        = spec.Properties
	MountRequest      = mounting.MountRequest
	UnmountRequest    = mounting.UnmountRequest
	CreateSpec        = volumes.CreateSpec
	SnapshotOptions   = volumes.SnapshotOptions
	ResizeSpec        = volumes.ResizeSpec
	RollbackOptions   = volumes.RollbackOptions
	VolumeInfo        = volumes.VolumeInfo
	DeleteOptions     = engine.DeleteOptions
	RunRequest        = running.Request
	RunResult         = running.Result
	PoolSpec          = pools.PoolSpec
	PoolInfo          = pools.PoolInfo
	GrowSpec          = pools.GrowSpec
	Growth            = pools.Growth
	Settings          = pools.Settings
	DeactivateOptions = pools.DeactivateOptions
	Finding           = check.Finding
	Repair            = check.Repair // package check declares the types
	NameID            = check.NameID
	RemoveFolder      = check.RemoveFolder
	Error             = fault.Error
	Remedy            = fault.Remedy // package fault declares the types
	Hint              = fault.Hint
	Message           = fault.Message
	RunAsRoot         = fault.RunAsRoot
)

// What a write to a full pool does.
const (
	OnFullError = spec.OnFullError
	OnFullQueue = spec.OnFullQueue
)

// The kinds of errors, by which a caller decides, for example on its exit code.
// errors.Is finds the kind of an error of this package, if it has one.
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

// The kinds of findings that callers treat in different ways.
const (
	KindFolder = check.KindFolder
	KindMode   = check.KindMode
	KindOrphan = check.KindOrphan
)

// ParseVolume reads POOL/NAME, and refuses a name that no volume can have.
func ParseVolume(s string) (Volume, error) { return spec.ParseVolume(s) }

// CheckPropertyKey returns an error if key cannot be the key of a property.
func CheckPropertyKey(key string) error { return spec.CheckPropertyKey(key) }

// IsPropertyKey reports whether name is that of a property, and not that of a
// column of a list.
func IsPropertyKey(name string) bool { return spec.IsPropertyKey(name) }

// Errorf makes an error of a kind, with a text of its own.
func Errorf(kind error, format string, args ...any) error {
	return fault.Errorf(kind, format, args...)
}

// Sayf makes a Message. Write %v for a Remedy among args.
func Sayf(format string, args ...any) Message { return fault.Sayf(format, args...) }

// RemedyOf returns what the user can do about err, or nil if it knows nothing.
func RemedyOf(err error) Remedy { return host.RemedyOf(err) }

// Text returns err as one line for people.
func Text(err error) string { return fault.Text(err) }

// Count returns n and the noun, in the plural unless n is 1.
func Count(n int, noun string) string { return fault.Count(n, noun) }

// HasVolumes returns the error of a pool that is not deleted because it has
// volumes.
func HasVolumes(pool string, names []string) error { return backing.HasVolumes(pool, names) }

// IsMisplaced reports whether err is about a pool's folder that was copied or
// moved.
func IsMisplaced(err error) bool { return registry.IsMisplaced(err) }
