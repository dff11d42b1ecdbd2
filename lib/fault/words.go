package fault

import (
	"context"
	"strconv"
	"strings"

	"thinmount/lib/dm"
)

// Text is an error as a person is told it, in one line: where a signal or a
// deadline ended the work, Go's words for it are put into plain ones.
func Text(err error) string {
	return strings.NewReplacer(
		"\n", "; ", // between the errors of errors.Join
		context.Canceled.Error(), "interrupted",
		context.DeadlineExceeded.Error(), "gave up waiting",
	).Replace(err.Error())
}

// Count is "1 volume" or "3 volumes".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// sizeUnits are written as they are typed: --size 64K.
var sizeUnits = []string{" bytes", "K", "M", "G", "T", "P", "E"}

// SizeText is a size (bytes) in the largest unit that leaves no fraction of
// less than a tenth of it unsaid.
func SizeText(n int64) string {
	at := 0
	for at < len(sizeUnits)-1 && (n >= 10<<10 || n >= 1<<10 && n%(1<<10) == 0) {
		n, at = n>>10, at+1
	}
	return strconv.FormatInt(n, 10) + sizeUnits[at]
}

// ExactSize is a size (bytes) of which nothing is left unsaid, for two that are
// compared.
func ExactSize(n int64) string { return dm.Size(n).String() }
