package fault

import (
	"context"
	"strconv"
	"strings"

	"thinmount/lib/dm"
)

// Text returns err as one line for people. It replaces the words of Go for a
// signal and a deadline that ended the work by plain ones.
func Text(err error) string {
	return strings.NewReplacer(
		"\n", "; ", // errors.Join puts it between errors
		context.Canceled.Error(), "interrupted",
		context.DeadlineExceeded.Error(), "gave up waiting",
	).Replace(err.Error())
}

// Count returns n and the noun, as in "1 volume" and "3 volumes".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// sizeUnits are the units of sizes, as options accept them (--size 64K).
var sizeUnits = []string{" bytes", "K", "M", "G", "T", "P", "E"}

// SizeText writes a size n (bytes) in a unit that is easy to read. It changes
// to the next larger unit if n is a whole number of those or at least 10 of
// them, so rounding down loses less than a tenth.
func SizeText(n int64) string {
	at := 0
	for at < len(sizeUnits)-1 && (n >= 10<<10 || n >= 1<<10 && n%(1<<10) == 0) {
		n, at = n>>10, at+1
	}
	return strconv.FormatInt(n, 10) + sizeUnits[at]
}

// ExactSize writes a size n (bytes) without rounding. It is for two sizes that
// are compared: if they differ, their texts differ.
func ExactSize(n int64) string { return dm.Size(n).String() }
