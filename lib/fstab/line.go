package fstab

import (
	"strconv"
	"strings"
)

const blanks = " \t"

// parseLine reads a line without its newline. Blank lines and comments are no
// entry and no error.
func parseLine(line string) (e Entry, reason string) {
	if strings.Contains(line, "\x00") {
		return e, "has a NUL byte"
	}
	rest := strings.TrimLeft(strings.TrimSuffix(line, "\r"), blanks)
	if rest == "" || rest[0] == '#' {
		return e, ""
	}
	next := func() (field string) {
		end := strings.IndexAny(rest, blanks)
		if end < 0 {
			end = len(rest)
		}
		field, rest = rest[:end], strings.TrimLeft(rest[end:], blanks)
		return field
	}
	e.Spec, e.Dir, e.Type, e.Options = unescape(next()), unescape(next()), next(), unescape(next())
	if e.Type == "" {
		return Entry{}, "has no mount point or no type"
	}
	e.Type = unescape(e.Type)
	if e.Options == "" {
		e.Options = "defaults"
	}
	for _, name := range []string{"freq", "passno"} {
		if field := next(); field != "" && !number(field) {
			return Entry{}, name + " is no number: " + strconv.QuoteToASCII(field)
		}
	}
	return e, "" // what follows is no field, and libmount does not look at it
}

// unescape puts one byte for a backslash and three octal digits, of which C
// takes the lower eight bits. A NUL byte ends the field, as it does for C.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' && i+3 < len(s) && octal(s[i+1]) && octal(s[i+2]) && octal(s[i+3]) {
			c = (s[i+1]&7)<<6 | (s[i+2]&7)<<3 | s[i+3]&7
			i += 3
		}
		if c == 0 {
			break
		}
		b.WriteByte(c)
	}
	return b.String()
}

// number tells what strtol(3) takes as a whole; it may be too large.
func number(field string) bool {
	digits := strings.TrimLeft(field, "\v\f\r")
	if digits != "" && (digits[0] == '+' || digits[0] == '-') {
		digits = digits[1:]
	}
	return digits != "" && strings.Trim(digits, "0123456789") == ""
}

func octal(c byte) bool { return '0' <= c && c <= '7' }
