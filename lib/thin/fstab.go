package thin

import (
	"path/filepath"
	"slices"
	"strings"

	"thinmount/lib/catalog"
	"thinmount/lib/fstab"
)

// A line of fstab is one reference, however often `mount -a`, `mount DIR` or
// systemd repeat it: libmount cannot tell that POOL/VOLUME is mounted already,
// and calls us again.

// fstabLine is the number of the line of fstab that mounts that volume on dir,
// or 0. What cannot be read counts as no line.
func (s *System) fstabLine(volume, dir string) int {
	for _, e := range s.linesOf(volume) {
		if isDir(e.Dir, dir) {
			return e.Line
		}
	}
	return 0
}

// winner is the line of fstab that mounts the volume instead of the line for dir,
// or nil. A volume has one mount path, so of several lines that are mounted at boot
// the first wins, whichever comes first in time: else it would be a race. A line
// that is mounted by hand alone stands in nobody's way, and nobody in its.
func (s *System) winner(volume, dir string) *fstab.Entry {
	lines := s.linesOf(volume)
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
func (s *System) linesOf(volume string) (lines []fstab.Entry) {
	for _, e := range s.fstabThin() {
		if pool, name, ok := s.namedBy(e.Spec); ok && pool+"/"+name == volume {
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

// skip is an error that nofail makes a warning of.
func (m *mounting) skip(err error) error {
	if !m.options.Nofail {
		return err
	}
	m.warn("%v: skipped (nofail)", err)
	return nil
}

func twoLinesHint(volume string) string {
	return "take one of the lines out, make it noauto, or mount a snapshot: thin-snap snapshot " + volume + " " + volume + "-2"
}

// refuseLoser refuses what a line of fstab asks for that another line wins over.
func (m *mounting) refuseLoser(volume string) error {
	wins := m.winner(volume, m.dir)
	if wins == nil {
		return nil
	}
	err := &Error{Object: volume, Hint: twoLinesHint(volume), Err: reason(ErrBusy,
		"line %d of %s mounts it on %s, and a volume has one mount path: of several lines the first wins", wins.Line, m.Fstab, wins.Dir)}
	return err
}

// loser is a line of fstab that another one wins over.
type loser struct {
	volume string // POOL/VOLUME
	line   fstab.Entry
	wins   fstab.Entry
}

// losers are those of a pool's volumes.
func (s *System) losers(pool string) (all []loser) {
	for _, e := range s.fstabThin() {
		named, name, ok := s.namedBy(e.Spec)
		if !ok || named != pool {
			continue
		}
		volume := named + "/" + name
		if wins := s.winner(volume, e.Dir); wins != nil {
			all = append(all, loser{volume, e, *wins})
		}
	}
	return all
}

// fstabSpec is what fstab has mounted on dir.
func (s *System) fstabSpec(dir string) (pool, volume string, ok bool) {
	for _, e := range s.fstabThin() {
		if pool, volume, ok = s.namedBy(e.Spec); ok && isDir(e.Dir, dir) {
			return pool, volume, true
		}
	}
	return "", "", false
}

func (s *System) fstabThin() (lines []fstab.Entry) {
	all, _ := fstab.Read(s.Fstab) // a bad line does not hide the good ones
	for _, e := range all {
		if e.Type == "thin" || strings.HasPrefix(e.Type, "thin.") {
			lines = append(lines, e)
		}
	}
	return lines
}

// namedBy finds the volume in the text of a SPEC: POOL/VOLUME, its alias, or its
// device's name.
func (s *System) namedBy(spec string) (pool, volume string, ok bool) {
	if pool, volume, ok = s.splitAlias(spec); ok {
		return pool, volume, true
	}
	if name, found := strings.CutPrefix(spec, "/dev/mapper/"); found {
		pool, volume, ok = splitVolumeName(name)
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
