package fstab

import (
	"strconv"
	"strings"
)

// blanks are the bytes that separate fields.
const blanks = " \t"

// parseLine reads a line without its newline. For a blank line or a comment it
// returns a zero Entry and no reason. For a malformed line it returns the
// reason.
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
	return e, "" // libmount ignores the rest of the line
}

// unescape replaces a backslash and three octal digits by one byte. As in C,
// the byte has the lower eight bits of the number, and a NUL byte ends the
// field.
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

// number reports whether strtol(3) would read the whole field as a decimal
// number, however large.
func number(field string) bool {
	digits := strings.TrimLeft(field, "\v\f\r")
	if digits != "" && (digits[0] == '+' || digits[0] == '-') {
		digits = digits[1:]
	}
	return digits != "" && strings.Trim(digits, "0123456789") == ""
}

// octal reports whether c is an octal digit.
func octal(c byte) bool { return '0' <= c && c <= '7' }
