package registry

import (
	"path/filepath"
	"slices"
	"strings"

	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/fstab"
	"thinmount/lib/host"
	"thinmount/lib/spec"
)

// A line of fstab is one reference, however often `mount -a`, `mount DIR` or
// systemd repeats it. libmount cannot tell that POOL/VOLUME is mounted already,
// so it calls mount.thin again.

// FstabLine returns the number of the fstab line that mounts the volume on dir,
// or 0 if there is none. It ignores what it cannot read. wins is the line that
// mounts the volume instead (winner).
func FstabLine(s *host.System, volume spec.Volume, dir string) (line int, wins *fstab.Entry) {
	return lineFor(linesOf(s, fstabThin(s), volume), dir)
}

// lineFor is FstabLine for the lines of the volume.
func lineFor(lines []fstab.Entry, dir string) (line int, wins *fstab.Entry) {
	at := slices.IndexFunc(lines, func(e fstab.Entry) bool { return isDir(e.Dir, dir) })
	if at < 0 {
		return 0, nil
	}
	return lines[at].Line, winner(lines, at)
}

// winner returns the line that mounts a volume instead of the line at an index
// of its lines, or nil if that one may mount it.
//
// A volume has one mount path. If several lines would be mounted at boot, the
// first line in the file wins, even if another is mounted earlier in time.
// Otherwise a race would decide. A line that is mounted only by hand (noauto)
// neither wins nor loses.
func winner(lines []fstab.Entry, at int) *fstab.Entry {
	if !atBoot(lines[at]) {
		return nil
	}
	for _, e := range lines[:at] {
		if atBoot(e) {
			return &e
		}
	}
	return nil
}

// LinesOf returns the lines of fstab that mount the volume.
func LinesOf(s *host.System, volume spec.Volume) []fstab.Entry {
	return linesOf(s, fstabThin(s), volume)
}

// linesOf returns those of the lines that mount the volume.
func linesOf(s *host.System, all []fstab.Entry, volume spec.Volume) (lines []fstab.Entry) {
	for _, e := range all {
		if named, ok := NamedBy(s, e.Spec); ok && named == volume {
			lines = append(lines, e)
		}
	}
	return lines
}

// atBoot tells whether a line is mounted without a user's command: at boot by
// `mount -a`, or by an automount at the first access to the folder.
func atBoot(e fstab.Entry) bool {
	options := strings.Split(e.Options, ",")
	return !slices.Contains(options, "noauto") || slices.Contains(options, "x-systemd.automount")
}

// TwoLinesRemedy says what a user can do about two fstab lines for one volume.
func TwoLinesRemedy(volume spec.Volume) fault.Remedy {
	return fault.Sayf("take one of the lines out, make it noauto, or mount a snapshot: %v",
		fault.Snapshot{Volume: volume})
}

// Loser is a line of fstab that is not mounted because another line wins.
type Loser struct {
	Volume spec.Volume
	Line   fstab.Entry // the line that is not mounted
	Wins   fstab.Entry // the line that is mounted instead
}

// Losers returns the losers among the fstab lines for volumes of a pool.
func Losers(s *host.System, pool string) (all []Loser) {
	thin := fstabThin(s)
	for _, e := range thin {
		volume, ok := NamedBy(s, e.Spec)
		if !ok || volume.Pool != pool {
			continue
		}
		if _, wins := lineFor(linesOf(s, thin, volume), e.Dir); wins != nil {
			all = append(all, Loser{volume, e, *wins})
		}
	}
	return all
}

// FstabSpec returns the volume that fstab mounts on dir. ok is false if no line
// mounts a volume there.
func FstabSpec(s *host.System, dir string) (volume spec.Volume, ok bool) {
	for _, e := range fstabThin(s) {
		if volume, ok = NamedBy(s, e.Spec); ok && isDir(e.Dir, dir) {
			return volume, true
		}
	}
	return spec.Volume{}, false
}

// fstabThin returns the lines of fstab with the type thin or thin.FSTYPE.
func fstabThin(s *host.System) (lines []fstab.Entry) {
	all, _ := fstab.Read(s.Fstab) // a bad line does not hide the good ones
	for _, e := range all {
		if e.Type == "thin" || strings.HasPrefix(e.Type, "thin.") {
			lines = append(lines, e)
		}
	}
	return lines
}

// NamedBy returns the volume that source names. source is POOL/VOLUME, the path
// of an alias, or the path of a node below /dev/mapper. NamedBy does not look
// whether the volume exists.
func NamedBy(s *host.System, source string) (volume spec.Volume, ok bool) {
	if volume, ok = ParseAlias(s, source); ok {
		return volume, true
	}
	if name, found := strings.CutPrefix(source, "/dev/mapper/"); found {
		volume, ok = dmname.ParseVolume(name)
		return volume, ok && volume.Check() == nil
	}
	volume, err := spec.ParseVolume(source)
	return volume, err == nil
}

// isDir tells whether path, as fstab has it, is dir. path may have symbolic
// links, dir has none.
func isDir(path, dir string) bool {
	if filepath.Clean(path) == dir {
		return true
	}
	real, err := filepath.EvalSymlinks(path)
	return err == nil && real == dir
}
