package amount

import (
	"math/big"
	"regexp"
	"strings"
	"sync"

	"github.com/docker/go-units"

	"thinmount/cmd/thin-snap/internal/usage"
)

// sizePattern is a number and a unit. It does not match the other forms that
// strconv.ParseFloat reads (1e5, 0x1p4, inf). It is compiled when it is used:
// most commands read no size, and the repetitions take long.
var sizePattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^([0-9]{1,40}(?:\.[0-9]{1,18})?)([A-Za-z]{0,3})$`)
})

const sectorBytes = 512

// Size reads a size in bytes: 512, 10K or 10KiB (1024), 10kB (1000),
// 20480s (sectors of 512 bytes). It is exact, while go-units would use a
// float64. It refuses 0, a size that is not a whole number of bytes, and a size
// that does not fit into an int64.
func Size(s string) (int64, error) {
	m := sizePattern().FindStringSubmatch(s)
	if m == nil {
		return 0, badSize(s)
	}
	unit, ok := unitBytes(m[2])
	if !ok {
		return 0, badSize(s)
	}
	n, ok := new(big.Rat).SetString(m[1])
	if !ok {
		return 0, badSize(s)
	}
	n.Mul(n, new(big.Rat).SetInt64(unit))
	switch {
	case !n.IsInt():
		return 0, usage.Errorf("%s: not a whole number of bytes", s)
	case n.Sign() == 0:
		return 0, usage.Errorf("%s: a size must be more than nothing", s)
	case !n.Num().IsInt64():
		return 0, usage.Errorf("%s: too large", s)
	}
	return n.Num().Int64(), nil
}

// exaBytes are the units that go-units does not have.
var exaBytes = map[string]int64{"e": 1 << 60, "eib": 1 << 60, "eb": 1e18}

const sizesLook = "sizes look like 512, 10M, 2G, 10GiB, 10GB (1000) or 20480s (sectors); " +
	"units are K, M, G, T, P and E"

func badSize(s string) error {
	return &usage.Error{Message: "not a size: " + s, Hint: sizesLook}
}

// unitBytes returns the number of bytes in a unit. go-units has two tables, of
// which unitBytes chooses one: kB is 1000, K and KiB are 1024.
func unitBytes(unit string) (int64, bool) {
	lower := strings.ToLower(unit)
	if lower == "s" {
		return sectorBytes, true
	}
	if bytes, ok := exaBytes[lower]; ok {
		return bytes, true
	}
	parse := units.RAMInBytes
	if len(lower) == 2 {
		parse = units.FromHumanSize
	}
	n, err := parse("1" + lower)
	return n, err == nil
}
