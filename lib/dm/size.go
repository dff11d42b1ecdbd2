package dm

import "strconv"

// Size is a number of bytes, printed in the form in which people type it: 64K,
// 2G.
type Size int64

// String uses the largest unit (1K is 1024 bytes) of which the size is a whole
// number, so that nothing is rounded.
func (s Size) String() string {
	units := []string{" bytes", "K", "M", "G", "T", "P", "E"}
	for s != 0 && s%(1<<10) == 0 && len(units) > 1 {
		s, units = s>>10, units[1:]
	}
	return strconv.FormatInt(int64(s), 10) + units[0]
}
