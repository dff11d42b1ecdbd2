package thin

import (
	"path/filepath"
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
	for _, e := range s.fstabThin() {
		if pool, name, ok := s.namedBy(e.Spec); ok && pool+"/"+name == volume && isDir(e.Dir, dir) {
			return e.Line
		}
	}
	return 0
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
