package main

import (
	"math/big"
	"regexp"
	"strings"

	"github.com/docker/go-units"
)

// size is a number and a unit, and nothing of what strconv.ParseFloat would
// take besides (1e5, 0x1p4, inf).
var sizePattern = regexp.MustCompile(`^([0-9]{1,40}(?:\.[0-9]{1,18})?)([A-Za-z]{0,3})$`)

const sectorBytes = 512

// parseSize reads a size in bytes: 512, 10K or 10KiB (1024), 10kB (1000),
// 20480s (sectors of 512 bytes). Exact, where go-units would go through a
// float64: what is no whole number of bytes, or none at all, or does not fit
// into an int64 is refused.
func parseSize(s string) (int64, error) {
	m := sizePattern.FindStringSubmatch(s)
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
		return 0, usagef("%s: not a whole number of bytes", s)
	case n.Sign() == 0:
		return 0, usagef("%s: a size must be more than nothing", s)
	case !n.Num().IsInt64():
		return 0, usagef("%s: too large", s)
	}
	return n.Num().Int64(), nil
}

// exaBytes are the units at which go-units ends.
var exaBytes = map[string]int64{"e": 1 << 60, "eib": 1 << 60, "eb": 1e18}

func badSize(s string) error {
	return &usageError{message: "not a size: " + s, hint: "sizes look like 512, 10M, 2G, 10GiB, 10GB (1000) or 20480s (sectors); units are K, M, G, T, P and E"}
}

// unitBytes is the number of bytes in a unit. go-units knows them, but only the
// caller which of its two tables: kB is 1000, K and KiB 1024.
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
