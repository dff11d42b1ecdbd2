package fault

import (
	"fmt"
	"slices"
	"time"

	"thinmount/lib/spec"
)

// Remedy says what the user can do about an error, a warning or a finding. It
// is one of the types in this file. A command of thinmount is a value with
// fields, and the program writes the command line for it.
type Remedy interface{ remedy() }

// Hint is a remedy in words. It may contain commands of other programs. Its
// author has quoted the paths in it by ShellPath. The other types hold their
// paths unquoted.
type Hint string

// Message is a text that may contain remedies: a warning, or a remedy that is
// composed of others. Make it with Sayf.
type Message struct {
	Format string // for fmt.Sprintf
	Args   []any  // each Remedy among them is still to be put into words
}

// Sayf makes a Message. Write %v for a remedy among args. If there is no remedy
// among args, Sayf formats the text at once.
func Sayf(format string, args ...any) Message {
	if !slices.ContainsFunc(args, func(a any) bool { _, is := a.(Remedy); return is }) {
		return Message{"%s", []any{fmt.Sprintf(format, args...)}}
	}
	return Message{format, args}
}

// In returns the text. It puts each remedy into words by calling words.
func (m Message) In(words func(Remedy) string) string {
	args := slices.Clone(m.Args)
	for i, a := range args {
		if r, is := a.(Remedy); is {
			args[i] = words(r)
		}
	}
	return fmt.Sprintf(m.Format, args...)
}

// String returns the text for tests and logs: remedies that are not plain words
// appear as Go values.
func (m Message) String() string { return m.In(show) }

func show(r Remedy) string {
	switch r := r.(type) {
	case Hint:
		return string(r)
	case Message:
		return r.String()
	}
	return fmt.Sprintf("%#v", r)
}

// Growth says how large a part of a pool is to become. The zero value leaves
// the part as it is. If More is set and Size is 0, the user chooses the size.
type Growth struct {
	Size int64 // bytes
	More bool  // Size is to be added to the present size
}

// Option is an option of a use case. As a remedy it names the option to use.
// The program writes it as its command line has it.
type Option string

// The options that errors and remedies name.
const (
	OptionForce        Option = "force"
	OptionDir          Option = "dir"
	OptionSize         Option = "size"
	OptionMetadataSize Option = "metadata-size"
	OptionKeep         Option = "keep"
)

// The commands that a remedy can name. If a name is empty, the user
// chooses it.
type (
	// RunAsRoot runs the same command again, as root.
	RunAsRoot struct{}

	// ListPools shows all pools.
	ListPools struct{}
	// ShowPool shows the state of a pool.
	ShowPool struct{ Pool string }
	// CreatePool makes a pool.
	CreatePool struct{ Pool string }
	// CreatePoolHelp shows the options of CreatePool.
	CreatePoolHelp struct{}
	// GrowPool makes a pool larger.
	GrowPool struct {
		Pool           string
		Data, Metadata Growth
	}
	// ActivatePool makes the devices of a pool.
	ActivatePool struct{ Pool string }
	// DeactivatePool removes the devices of a pool.
	DeactivatePool struct {
		Pool    string
		Unmount bool // unmount its volumes first
	}
	// RestartPool unmounts all volumes of a pool, removes the pool's devices
	// and makes them again.
	RestartPool struct{ Pool string }
	// DeletePool removes a pool.
	DeletePool struct {
		Pool    string
		Volumes bool // delete all its volumes, too
	}
	// CheckPool says what is wrong with a pool.
	CheckPool struct{ Pool string }
	// CompareRecords says where a pool and its records differ, and how the user
	// can repair that.
	CompareRecords struct{ Pool string }
	// RepairPool checks a pool and repairs what can be repaired.
	RepairPool struct{ Pool string }
	// SaveMetadata saves what can be read of a pool's damaged metadata, repairs
	// that copy and writes it back.
	SaveMetadata struct {
		Pool         string
		Path         string // of the disk or file that holds the metadata
		Offset, Size int64  // bytes: where the metadata is in Path
	}
	// SetFreezeLimit raises the time for which a snapshot may suspend its
	// origin.
	SetFreezeLimit struct {
		Pool  string
		Limit time.Duration // in whole seconds
	}
	// NameDisk sets a path for a pool's disk that stays the same, under
	// /dev/disk/by-id.
	NameDisk struct{ Pool, Role string } // Role is "data" or "metadata"

	// RecoverPool finishes or undoes what killed commands left in a pool.
	RecoverPool struct{ Pool string }

	// ListVolumes shows the volumes of a pool, or of all pools if Pool is
	// empty.
	ListVolumes struct{ Pool string }
	// CreateVolume makes a volume.
	CreateVolume struct{ Volume spec.Volume }
	// DeleteVolume removes a volume.
	DeleteVolume struct{ Volume spec.Volume }
	// DeactivateVolume removes the device of a volume.
	DeactivateVolume struct{ Volume spec.Volume }
	// FormatVolume makes a filesystem on a volume.
	FormatVolume struct{ Volume spec.Volume }
	// Snapshot makes a snapshot of a volume.
	Snapshot struct{ Volume spec.Volume }
	// OnDevice activates a volume and runs a program on its device.
	OnDevice struct {
		Volume  spec.Volume
		Program string // its command line, with $d for the device
	}
	// Mount mounts a volume.
	Mount struct {
		Volume spec.Volume
		Path   string
		FSType string // "" for the filesystem that the volume has
	}
	// Unmount ends the mount on a path with all its references.
	Unmount struct {
		Path  string
		Times int // how many references there are
	}
	// UnmountElsewhere ends a mount in another mount namespace.
	UnmountElsewhere struct {
		Path string
		PID  int // of a process in that namespace; 0 if none is known
	}
	// EndRun ends a program that runs in a volume.
	EndRun struct {
		PID int // of the process to send a SIGTERM to
	}
	// UnmountByHelper ends a mount by calling umount.thin directly, because
	// umount(8) does not find that helper for it.
	UnmountByHelper struct{ Path string }
)

func (Hint) remedy()             {}
func (Message) remedy()          {}
func (Option) remedy()           {}
func (RunAsRoot) remedy()        {}
func (ListPools) remedy()        {}
func (ShowPool) remedy()         {}
func (CreatePool) remedy()       {}
func (CreatePoolHelp) remedy()   {}
func (GrowPool) remedy()         {}
func (ActivatePool) remedy()     {}
func (DeactivatePool) remedy()   {}
func (RestartPool) remedy()      {}
func (DeletePool) remedy()       {}
func (CheckPool) remedy()        {}
func (CompareRecords) remedy()   {}
func (RepairPool) remedy()       {}
func (SaveMetadata) remedy()     {}
func (SetFreezeLimit) remedy()   {}
func (NameDisk) remedy()         {}
func (RecoverPool) remedy()      {}
func (EndRun) remedy()           {}
func (ListVolumes) remedy()      {}
func (CreateVolume) remedy()     {}
func (DeleteVolume) remedy()     {}
func (DeactivateVolume) remedy() {}
func (FormatVolume) remedy()     {}
func (Snapshot) remedy()         {}
func (OnDevice) remedy()         {}
func (Mount) remedy()            {}
func (Unmount) remedy()          {}
func (UnmountElsewhere) remedy() {}
func (UnmountByHelper) remedy()  {}
