package mount

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/lib/mountinfo"
)

// oldMount is mount(2), which does not tell what it has mounted: it is the
// mount that was not there before. A process that is killed in the call may
// have mounted: here, making and attaching are one call. A later command finds
// such a mount in the mount table.
func oldMount(r Request, dir int, options []string) (id int, err error) {
	data, err := joinOptions(options)
	if err != nil {
		return 0, err
	}
	before, err := Table()
	if err != nil {
		return 0, err
	}
	// The path leads through the descriptor to the directory itself, whatever
	// its name leads to by now.
	if err := unix.Mount(r.Source, descriptor(dir), r.FSType, r.Options.Flags, data); err != nil {
		return 0, unknownType(r.FSType, err)
	}
	after, err := Table()
	if err != nil {
		return 0, err
	}
	// The directory may have been moved since: the mount table has its present
	// path.
	path, _ := os.Readlink(descriptor(dir))
	if m := newcomer(before, after, r, path); m != nil {
		return m.ID, nil
	}
	return 0, &dirError{r.Target, ErrMoved}
}

// newcomer finds a mount that was just made: of that source, or, of a
// filesystem that shows another one, at path. Another program may mount at the
// same moment: then it has another type or source, since the caller has locked
// the volume.
func newcomer(before, after mountinfo.Table, r Request, path string) *mountinfo.Info {
	was := before.Parents()
	var found *mountinfo.Info
	for _, m := range after.All() {
		if _, old := was[m.ID]; old || m.FSType != r.FSType {
			continue
		}
		if m.Source == r.Source {
			return m
		}
		if m.Mountpoint == path {
			found = m
		}
	}
	return found
}

// joinOptions makes the data argument of mount(2), where each comma separates
// but in the contexts of SELinux, which may be quoted. Elsewhere a comma in a
// value would smuggle in another option. What is longer than a page, with its
// NUL, the kernel would cut off without a word (fs/namespace.c, path_mount).
func joinOptions(options []string) (string, error) {
	var words []string
	for _, word := range options {
		key, value, hasValue := option(word)
		switch {
		// The security module reads these before the filesystem does, and knows
		// the quotes (security/selinux/hooks.c, selinux_sb_eat_lsm_opts).
		case strings.Contains(word, ",") && strings.HasSuffix(key, "context"):
		case strings.Contains(word, ","):
			return "", fmt.Errorf("option %s %w on this kernel: it has a comma in it",
				word, errOption)
		case hasValue:
			word = key + "=" + value
		}
		words = append(words, word)
	}
	data := strings.Join(words, ",")
	if most := os.Getpagesize() - 1; len(data) > most {
		return "", fmt.Errorf("options of %d bytes %w on this kernel: it takes %d",
			len(data), errOption, most)
	}
	return data, nil
}
