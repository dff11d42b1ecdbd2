// Package plain makes text fit for a message: names of files and processes, and
// what the kernel says, may hold any bytes, and go to terminals and journals.
//
// It loses what it replaces. Where a reader needs the exact name, as in a table
// or in a command to paste, escape it instead.
package plain

import (
	"strings"
	"unicode"
)

// OneLine returns s as one line that tells a terminal nothing: each newline
// becomes "; ", any other control character "?", and each byte that is no UTF-8
// U+FFFD. Blanks and newlines at both ends go.
func OneLine(s string) string {
	s = strings.ReplaceAll(strings.TrimSpace(s), "\n", "; ")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, s)
}
