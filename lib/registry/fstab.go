package registry

import (
	"path/filepath"
	"slices"
	"strings"

	"thinmount/lib/catalog"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/fstab"
	"thinmount/lib/host"
)

// A line of fstab is one reference, however often `mount -a`, `mount DIR` or
// systemd repeat it: libmount cannot tell that POOL/VOLUME is mounted already,
// and calls us again.

// FstabLine is the number of the line of fstab that mounts that volume on dir,
// or 0. What cannot be read counts as no line.
func FstabLine(s *host.System, volume, dir string) int {
	for _, e := range linesOf(s, volume) {
		if isDir(e.Dir, dir) {
			return e.Line
		}
	}
	return 0
}

// Winner is the line of fstab that mounts the volume instead of the line for dir,
// or nil. A volume has one mount path, so of several lines that are mounted at boot
// the first wins, whichever comes first in time: else it would be a race. A line
// that is mounted by hand alone stands in nobody's way, and nobody in its.
func Winner(s *host.System, volume, dir string) *fstab.Entry {
	lines := linesOf(s, volume)
	at := slices.IndexFunc(lines, func(e fstab.Entry) bool { return isDir(e.Dir, dir) })
	if at < 0 || !atBoot(lines[at]) {
		return nil
	}
	for _, e := range lines[:at] {
		if atBoot(e) {
			return &e
		}
	}
	return nil
}

// linesOf are the lines of fstab that mount a volume.
func linesOf(s *host.System, volume string) (lines []fstab.Entry) {
	for _, e := range fstabThin(s) {
		if pool, name, ok := NamedBy(s, e.Spec); ok && pool+"/"+name == volume {
			lines = append(lines, e)
		}
	}
	return lines
}

// atBoot tells whether a line is mounted at boot, by `mount -a`, or when somebody
// looks there.
func atBoot(e fstab.Entry) bool {
	options := strings.Split(e.Options, ",")
	return !slices.Contains(options, "noauto") || slices.Contains(options, "x-systemd.automount")
}

// TwoLinesRemedy is what to do about two lines of fstab for one volume.
func TwoLinesRemedy(volume string) fault.Remedy {
	return fault.Sayf("take one of the lines out, make it noauto, or mount a snapshot: %v", fault.Snapshot{Volume: volume})
}

// Loser is a line of fstab that another one wins over.
type Loser struct {
	Volume string // POOL/VOLUME
	Line   fstab.Entry
	Wins   fstab.Entry
}

// Losers are those of a pool's volumes.
func Losers(s *host.System, pool string) (all []Loser) {
	for _, e := range fstabThin(s) {
		named, name, ok := NamedBy(s, e.Spec)
		if !ok || named != pool {
			continue
		}
		volume := named + "/" + name
		if wins := Winner(s, volume, e.Dir); wins != nil {
			all = append(all, Loser{volume, e, *wins})
		}
	}
	return all
}

// FstabSpec is what fstab has mounted on dir.
func FstabSpec(s *host.System, dir string) (pool, volume string, ok bool) {
	for _, e := range fstabThin(s) {
		if pool, volume, ok = NamedBy(s, e.Spec); ok && isDir(e.Dir, dir) {
			return pool, volume, true
		}
	}
	return "", "", false
}

func fstabThin(s *host.System) (lines []fstab.Entry) {
	all, _ := fstab.Read(s.Fstab) // a bad line does not hide the good ones
	for _, e := range all {
		if e.Type == "thin" || strings.HasPrefix(e.Type, "thin.") {
			lines = append(lines, e)
		}
	}
	return lines
}

// NamedBy finds the volume in the text of a SPEC: POOL/VOLUME, its alias, or its
// device's name.
func NamedBy(s *host.System, spec string) (pool, volume string, ok bool) {
	if pool, volume, ok = SplitAlias(s, spec); ok {
		return pool, volume, true
	}
	if name, found := strings.CutPrefix(spec, "/dev/mapper/"); found {
		pool, volume, ok = dmname.ParseVolume(name)
		return pool, volume, ok && catalog.CheckPoolName(pool) == nil && catalog.CheckVolumeName(volume) == nil
	}
	pool, volume, err := catalog.ParseSpec(spec)
	return pool, volume, err == nil
}

// isDir compares a path as fstab has it with one without symbolic links.
func isDir(path, dir string) bool {
	if filepath.Clean(path) == dir {
		return true
	}
	real, err := filepath.EvalSymlinks(path)
	return err == nil && real == dir
}
