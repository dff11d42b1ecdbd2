package amount

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"thinmount/cmd/thin-snap/internal/usage"
)

func isUsage(err error) bool {
	var wrong *usage.Error
	return errors.As(err, &wrong)
}

func TestSize(t *testing.T) {
	for in, want := range map[string]int64{
		"512": 512, "1b": 1, "7B": 7, "10K": 10 << 10, "10k": 10 << 10, "10KiB": 10 << 10,
		"10kib": 10 << 10, "10kB": 10000, "10KB": 10000,
		"10M": 10 << 20, "10MB": 10e6, "10G": 10 << 30, "10GiB": 10 << 30, "10GB": 10e9,
		"10T": 10 << 40, "2TB": 2e12, "1P": 1 << 50, "7E": 7 << 60, "1EiB": 1 << 60, "2EB": 2e18,
		"20480s": 20480 * 512, "1.5G": 3 << 29, "0.5K": 512, "007": 7,
		"9223372036854775807": math.MaxInt64, "8191P": 8191 << 50, "9007199254740993": 1<<53 + 1,
		"9007199254740991.5K": 9007199254740991<<10 + 512,
		"18014398509481983s":  18014398509481983 * 512,
	} {
		if got, err := Size(in); err != nil || got != want {
			t.Errorf("Size(%q) = %d, %v, want %d", in, got, err, want)
		}
	}
}

func TestSizeRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"": "not a size", "K": "not a size", "-1": "not a size", "+1": "not a size",
		" 1": "not a size", "1 K": "not a size", "1e5": "not a size",
		"0x10": "not a size", "1,5G": "not a size", ".5G": "not a size", "1.G": "not a size",
		"inf": "not a size", "1X": "not a size",
		"1KiBB": "not a size", "1Ki": "not a size", "1bb": "not a size", "1Eb1": "not a size",
		"1Z": "not a size", "1\n": "not a size", "٣": "not a size",
		"0": "more than nothing", "0.0G": "more than nothing", "0.3": "whole number",
		"1.1K":                "whole number",
		"9223372036854775808": "too large", "8192P": "too large", "8E": "too large",
		"16E": "too large", "99999999999999999999999": "too large",
		"18014398509481984s": "too large",
	} {
		if got, err := Size(in); !isUsage(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("Size(%q) = %d, %v, want %q", in, got, err, want)
		}
	}
}

func TestSizeRoundTrip(t *testing.T) {
	units := map[string]int64{
		"": 1, "K": 1 << 10, "MiB": 1 << 20, "G": 1 << 30, "kB": 1000, "TB": 1e12, "s": 512,
	}
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]string{"", "K", "MiB", "G", "kB", "TB", "s"}).Draw(t, "unit")
		n := rapid.Int64Range(1, math.MaxInt64/units[unit]).Draw(t, "n")
		got, err := Size(strconv.FormatInt(n, 10) + unit)
		if err != nil || got != n*units[unit] {
			t.Fatalf("%d%s = %d, %v", n, unit, got, err)
		}
	})
}

func TestNiceSize(t *testing.T) {
	for in, want := range map[int64]string{
		0: "0B", 1: "1B", 512: "512B", 1023: "1023B", 1024: "1K", 1536: "1.50K", 10 << 10: "10K",
		10<<10 + 1: "10.0K", 128 << 10: "128K",
		128<<10 + 1: "128K", 3 << 29: "1.50G", 1<<30 - 1: "1024M", 1023 << 20: "1023M",
		1 << 60: "1E", math.MaxInt64: "8.00E",
	} {
		if got := Nice(in); got != want {
			t.Errorf("Nice(%d) = %s, want %s", in, got, want)
		}
	}
}

func TestNiceSizeIsShort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, math.MaxInt64).Draw(t, "n")
		if s := Nice(n); len(s) > 5 {
			t.Fatalf("Nice(%d) = %s", n, s)
		}
	})
}

func FuzzSize(f *testing.F) {
	for _, s := range []string{
		"512", "1.5G", "10kB", "20480s", "9223372036854775807", "8192P", "1e5",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := Size(s)
		if (err == nil) != (n > 0) {
			t.Errorf("Size(%q) = %d, %v", s, n, err)
		}
		if err != nil && !isUsage(err) {
			t.Errorf("Size(%q): %v is no usage error", s, err)
		}
	})
}
