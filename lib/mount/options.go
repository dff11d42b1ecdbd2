package mount

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Options are mount options, sorted by who they are for.
type Options struct {
	Flags    uintptr  // MS_*: for the kernel's VFS
	FS       []string // for the filesystem, in their order, quotes kept
	ReadOnly bool
	Remount  bool
	Nofail   bool
	Netdev   bool
	User     bool  // fstab lets users mount it
	Once     bool  // add no reference where it is mounted already
	Discard  *bool // what the caller says about discard, if anything
}

// errOption is an option that cannot be used.
var errOption = errors.New("cannot be used")

// userspace are the options that mount(8) passes on but that are for fstab, for
// libmount or for us, not for a filesystem. They say when or by whom something
// is mounted, and the kernel has no use for them.
func userspace() []string {
	return []string{
		"defaults", "auto", "noauto", "user", "users", "nouser", "nousers", "owner", "noowner",
		"group", "nogroup", "_netdev", "nofail", "remount", "once",
	}
}

// refused are options of things that a thin volume cannot be, or that mount(8)
// itself does.
func refused() map[string]string {
	return map[string]string{
		"source":    "the volume is what is mounted",
		"loop":      "a volume is a device already",
		"offset":    "a volume is mounted as a whole",
		"sizelimit": "a volume is mounted as a whole",
		"bind":      "use mount --bind on the mounted directory",
		"rbind":     "use mount --rbind on the mounted directory",
		"move":      "use mount --move",
	}
}

// ParseOptions sorts an option string as mount(8) gives it to its helpers.
// Commas inside double quotes do not separate. The last of two options that
// contradict each other wins. mount(8) has expanded user and its like already:
// noexec, nosuid and nodev stand in the string, and options behind them may
// have taken these back.
func ParseOptions(s string) (Options, error) {
	var o Options
	if i := strings.IndexFunc(s, func(r rune) bool { return r == 0 || r == '\n' }); i >= 0 {
		return o, fmt.Errorf("options %q: byte %d %w", s, i, errOption)
	}
	words, err := splitOptions(s)
	if err != nil {
		return o, err
	}
	for _, word := range words {
		if err := o.add(word); err != nil {
			return o, err
		}
	}
	o.ReadOnly = o.Flags&unix.MS_RDONLY != 0
	return o, nil
}

// splitOptions splits at the commas outside of quotes. The quotes stay:
// mount(8) puts them around the contexts of SELinux, which have commas of their
// own.
func splitOptions(s string) ([]string, error) {
	var words []string
	quoted, start := false, 0
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			words, start = append(words, s[start:i]), i+1
		}
	}
	if quoted {
		return nil, fmt.Errorf("options %s: a quote is not closed: %w", s, errOption)
	}
	return append(words, s[start:]), nil
}

// add sorts one option in. What no case knows goes to the filesystem, which
// refuses a word that it does not know.
func (o *Options) add(word string) error {
	key, _, hasValue := strings.Cut(word, "=")
	if why := refused()[key]; why != "" {
		return fmt.Errorf("option %s %w with a thin volume: %s", key, errOption, why)
	}
	if flags, ok := setFlag(o.Flags, word); ok {
		o.Flags = flags
		return nil
	}
	switch {
	// These are libmount's: helper and uhelper name the program for the umount.
	case word == "", hasValue && key == "comment", key == "helper", key == "uhelper":
	case strings.HasPrefix(word, "x-"), strings.HasPrefix(word, "X-"):
	case slices.Contains(userspace(), key):
		o.Remount = o.Remount || word == "remount"
		o.Nofail = o.Nofail || word == "nofail"
		o.Netdev = o.Netdev || word == "_netdev"
		o.Once = o.Once || word == "once"
		o.User = o.User || slices.Contains([]string{"user", "users", "owner", "group"}, key)
	case word == "discard" || word == "nodiscard":
		yes := word == "discard"
		o.Discard = &yes
	default:
		o.FS = append(o.FS, word)
	}
	return nil
}

// option splits what a filesystem is told: its value without quotes.
func option(word string) (key, value string, hasValue bool) {
	key, value, hasValue = strings.Cut(word, "=")
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		value = value[1 : len(value)-1]
	}
	return key, value, hasValue
}
