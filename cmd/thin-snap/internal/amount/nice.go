package amount

import (
	"fmt"
	"strconv"
)

// Nice writes a size (bytes) in at most five characters, as zfs list does
// (zutil_nicenum.c): 512B, 128K, 1.50G, 10.0K, 1023M. A multiple of a unit has
// no decimals.
func Nice(n int64) string {
	const suffixes = "BKMGTPE"
	unit, index := int64(1), 0
	for n/unit >= 1024 && index < len(suffixes)-1 {
		unit *= 1024
		index++
	}
	if n%unit == 0 {
		return strconv.FormatInt(n/unit, 10) + suffixes[index:index+1]
	}
	value := float64(n) / float64(unit)
	for decimals := 2; ; decimals-- {
		s := fmt.Sprintf("%.*f%c", decimals, value, suffixes[index])
		if len(s) <= 5 || decimals == 0 {
			return s
		}
	}
}
