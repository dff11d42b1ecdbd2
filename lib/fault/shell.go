package fault

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ShellPath writes a path as one word for a shell. Root pastes our hints into a
// shell. Other users chose some of the names in these paths, and such a name
// must neither break the command nor run as one. ShellPath leaves most paths
// unchanged. Characters that are not printable would not reach the terminal: a
// path that has any is written in the quotes $'…' of bash, which show them as
// octal numbers.
func ShellPath(path string) string {
	if strings.HasPrefix(path, "-") {
		path = "./" + path
	}
	switch {
	case !utf8.ValidString(path) ||
		strings.ContainsFunc(path, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "$'" + octal(path) + "'"
	case path == "" || strings.ContainsFunc(path, special):
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}

// special reports whether a shell may treat r as more than a plain character.
func special(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("/._-+@%:,=", r)
}

// octal writes each special byte of s as a backslash and three octal digits, as
// in \040.
func octal(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if special(rune(c)) {
			fmt.Fprintf(&b, `\%03o`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
