package fault

import (
	"fmt"
	"slices"
	"time"
)

// Remedy is what helps against an error, a warning or a finding. Commands of
// thinmount are values with fields, and it is for the program to write them as
// they are typed. The type is one of those in this file.
type Remedy interface{ remedy() }

// Hint is a remedy in words, which may name commands of others. Paths in it are
// quoted by ShellPath. The other types have their paths as they are.
type Hint string

// Message is a text in which remedies may stand: a warning, or a remedy that is
// made of others. Make it with Sayf.
type Message struct {
	Format string // of fmt
	Args   []any  // what is a Remedy among them is to be put into words
}

// Sayf makes a Message. A remedy among args stands at a %v.
func Sayf(format string, args ...any) Message {
	if !slices.ContainsFunc(args, func(a any) bool { _, is := a.(Remedy); return is }) {
		return Message{"%s", []any{fmt.Sprintf(format, args...)}}
	}
	return Message{format, args}
}

// In is the text with all remedies put into words.
func (m Message) In(words func(Remedy) string) string {
	args := slices.Clone(m.Args)
	for i, a := range args {
		if r, is := a.(Remedy); is {
			args[i] = words(r)
		}
	}
	return fmt.Sprintf(m.Format, args...)
}

// String is the text without words for the remedies in it: they stand as Go values.
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

// Growth is how large a part of a pool is to become. Its zero value leaves the
// part as it is; More without a size is as much as somebody likes.
type Growth struct {
	Size int64 // bytes
	More bool  // on top of what there is
}

// Option is a choice in the request for a use case.
type Option string

// Options that errors speak of.
const (
	OptionForce        Option = "force"
	OptionDir          Option = "dir"
	OptionSize         Option = "size"
	OptionMetadataSize Option = "metadata-size"
)

// Use cases that help. Volume is POOL/VOLUME. An empty name is for the caller to
// choose.
type (
	// RunAsRoot is the same command once more.
	RunAsRoot struct{}

	// ListPools shows all pools.
	ListPools struct{}
	// ShowPool shows the state of a pool.
	ShowPool struct{ Pool string }
	// CreatePool makes a pool.
	CreatePool struct{ Pool string }
	// CreatePoolHelp shows the options for that.
	CreatePoolHelp struct{}
	// GrowPool makes a pool larger.
	GrowPool struct {
		Pool           string
		Data, Metadata Growth
	}
	// ActivatePool makes a pool's devices.
	ActivatePool struct{ Pool string }
	// DeactivatePool removes them.
	DeactivatePool struct {
		Pool    string
		Unmount bool // its volumes before
	}
	// RestartPool unmounts all volumes of a pool, and makes its devices anew.
	RestartPool struct{ Pool string }
	// DeletePool removes a pool.
	DeletePool struct {
		Pool    string
		Volumes bool // and all its volumes
	}
	// CheckPool tells what is wrong with a pool.
	CheckPool struct{ Pool string }
	// CompareRecords tells where a pool and its records differ, and can mend that.
	CompareRecords struct{ Pool string }
	// RepairPool checks a pool, and repairs what can be repaired.
	RepairPool struct{ Pool string }
	// SaveMetadata saves what can be saved of the damaged metadata of a pool.
	SaveMetadata struct {
		Pool         string
		Path         string // of the disk or file with the metadata
		Offset, Size int64  // bytes: where the metadata is on it
	}
	// SetFreezeLimit lets a snapshot keep its origin waiting for longer.
	SetFreezeLimit struct {
		Pool  string
		Limit time.Duration // in whole seconds
	}
	// NameDisk says by which lasting name a pool's disk is found.
	NameDisk struct{ Pool, Role string } // Role is "data" or "metadata"

	// ListVolumes shows the volumes of a pool, or of all pools.
	ListVolumes struct{ Pool string }
	// CreateVolume makes a volume.
	CreateVolume struct{ Volume string }
	// DeleteVolume removes a volume.
	DeleteVolume struct{ Volume string }
	// DeactivateVolume removes the device of a volume.
	DeactivateVolume struct{ Volume string }
	// FormatVolume makes a filesystem on a volume.
	FormatVolume struct{ Volume string }
	// Snapshot makes a snapshot of a volume.
	Snapshot struct{ Volume string }
	// OnDevice activates a volume and runs a program on its device.
	OnDevice struct {
		Volume  string
		Program string // with $d for the device
	}
	// Mount mounts a volume.
	Mount struct {
		Volume, Path string
		FSType       string // or "" for what the volume carries
	}
	// Unmount ends the mount on a path, all references of it.
	Unmount struct {
		Path  string
		Times int // how many references there are
	}
	// UnmountElsewhere ends a mount in another mount namespace.
	UnmountElsewhere struct {
		Path string
		PID  int // of a process in there; 0 where none can be seen
	}
	// UnmountByHelper ends a mount for which umount(8) does not find its helper.
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
