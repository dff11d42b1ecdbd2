package fault

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ShellPath writes a path as a word for the shell, into which root pastes our
// hints: what others have named their folders must neither break the command nor
// be one. Most paths stay as they are; one with what is not printable, which would
// not reach the terminal, gets the quotes of bash that can write them.
func ShellPath(path string) string {
	if strings.HasPrefix(path, "-") {
		path = "./" + path
	}
	switch {
	case !utf8.ValidString(path) || strings.ContainsFunc(path, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "$'" + octal(path) + "'"
	case path == "" || strings.ContainsFunc(path, special):
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}

// special is what may mean something to a shell.
func special(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("/._-+@%:,=", r)
}

// octal writes what is special byte by byte, as \040.
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
