// Package fstype lists the filesystems that are mounted from a volume, and what
// the packages that probe, make and mount them have to agree on. Shell
// completions and manual pages are tested against it.
package fstype

// Discard says which words a filesystem has for discarding what is freed.
type Discard int

// The words of a filesystem for discard.
const (
	NoDiscard   Discard = iota // none
	DiscardOnly                // "discard"; without it nothing is discarded
	DiscardBoth                // "discard" and "nodiscard"
)

// Type is a filesystem that Probe of lib/fsprobe finds and the kernel mounts.
type Type struct {
	Name    string // the kernel's, blkid's and mkfs's
	Made    bool   // lib/mkfs makes it
	Discard Discard
}

// types has those that are made first, in the order in which they are offered.
var types = []Type{
	{Name: "ext2", Made: true}, // ext4's driver mounts it, and discards with a journal only
	{Name: "ext3", Made: true, Discard: DiscardBoth},
	{Name: "ext4", Made: true, Discard: DiscardBoth},
	{Name: "xfs", Made: true, Discard: DiscardBoth},
	{Name: "btrfs", Made: true, Discard: DiscardBoth},
	{Name: "f2fs", Made: true, Discard: DiscardBoth},
	{Name: "vfat", Made: true, Discard: DiscardOnly},
	{Name: "exfat", Made: true, Discard: DiscardOnly},
	{Name: "ntfs"},
	{Name: "erofs"},
	{Name: "squashfs"},
	{Name: "iso9660"},
}

// Find returns what is known of a filesystem. One that is not in the list,
// which may still be mounted by its name, has only that.
func Find(name string) Type {
	for _, t := range types {
		if t.Name == name {
			return t
		}
	}
	return Type{Name: name}
}

// Mounted returns the names of all.
func Mounted() []string { return names(func(Type) bool { return true }) }

// Made returns the names of those that can be made.
func Made() []string { return names(func(t Type) bool { return t.Made }) }

func names(choose func(Type) bool) []string {
	var chosen []string
	for _, t := range types {
		if choose(t) {
			chosen = append(chosen, t.Name)
		}
	}
	return chosen
}
