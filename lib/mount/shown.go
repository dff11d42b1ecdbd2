package mount

import (
	"slices"
	"strings"

	"thinmount/lib/mountinfo"
)

// optionsOf are the options of a mount as the mount table has them: its own,
// and its filesystem's. The two stand in different fields of the line
// (proc_pid_mountinfo(5)), and some words may be in both, as ro.
func optionsOf(m *mountinfo.Info) []string {
	return append(strings.Split(m.Options, ","), strings.Split(m.VFSOptions, ",")...)
}

// ReadOnly tells whether nothing can be written through a mount: it is
// read-only itself, or its filesystem is.
func ReadOnly(m *mountinfo.Info) bool { return slices.Contains(optionsOf(m), "ro") }

// discards tells whether a mounted filesystem discards what is freed. Btrfs
// shows the kind of discard behind the word.
func discards(m *mountinfo.Info) bool {
	return slices.ContainsFunc(optionsOf(m), func(o string) bool {
		return o == "discard" || strings.HasPrefix(o, "discard=")
	})
}

// discardChange is what a filesystem is told at a remount, if it is to change.
func (o Options) discardChange(m *mountinfo.Info) []string {
	switch {
	case o.Discard == nil || *o.Discard == discards(m):
		return nil
	case *o.Discard:
		return []string{"discard"}
	}
	return []string{"nodiscard"}
}

// DiscardDiffers tells whether a mount does not discard although it was asked
// to, or the reverse.
func (o Options) DiscardDiffers(m *mountinfo.Info) bool {
	return o.Discard != nil && *o.Discard != discards(m)
}

// Unlike lists in what a mount differs from options that are asked for, as
// "without nosuid" or "with noexec", as far as the mount table shows it.
// Whether it is read-only is left to ReadOnly. A filesystem may show an option
// by another word than it was given: then it counts as missing.
func (o Options) Unlike(m *mountinfo.Info) []string {
	var unlike []string
	is := optionsOf(m)
	for _, f := range vfsFlags {
		asked, has := o.Flags&f.bit != 0, slices.Contains(is, f.on)
		switch {
		case f.hidden:
		case asked && !has:
			unlike = append(unlike, "without "+f.on)
		case has && !asked && f.guards:
			unlike = append(unlike, "with "+f.on)
		}
	}
	for _, word := range o.FS {
		key, value, hasValue := option(word)
		if hasValue {
			key += "=" + value
		}
		if !slices.Contains(is, key) {
			unlike = append(unlike, "without "+key)
		}
	}
	switch {
	case !o.DiscardDiffers(m):
	case *o.Discard:
		unlike = append(unlike, "without discard")
	default:
		unlike = append(unlike, "with discard")
	}
	return unlike
}
