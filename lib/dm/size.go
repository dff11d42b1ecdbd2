package dm

import "strconv"

// Size is a number of bytes that is told to a person, as it is typed: 64K, 2G.
type Size int64

// String leaves nothing unsaid: where it is no whole number of a unit, the unit
// below it is taken.
func (s Size) String() string {
	units := []string{" bytes", "K", "M", "G", "T", "P", "E"}
	for s != 0 && s%(1<<10) == 0 && len(units) > 1 {
		s, units = s>>10, units[1:]
	}
	return strconv.FormatInt(int64(s), 10) + units[0]
}
