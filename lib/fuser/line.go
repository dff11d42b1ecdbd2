package fuser

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line describes the holders in one line of words for users, or returns "" if
// there are none. It names at most limit holders, and one of each process
// before the second of any. It writes characters that could change how a
// terminal looks as escapes of Go.
func Line(found []Holder, limit int) string {
	var first, rest []Holder
	more, seen := 0, map[int]bool{}
	for _, h := range found {
		more += h.More
		if h.PID != 0 && seen[h.PID] {
			rest = append(rest, h)
			continue
		}
		seen[h.PID] = true
		first = append(first, h)
	}
	all := append(first, rest...)
	if limit = max(limit, 0); len(all) > limit {
		more += len(all) - limit
		all = all[:limit]
	}
	parts := make([]string, len(all))
	for i, h := range all {
		parts[i] = h.words()
	}
	s := strings.Join(parts, ", ")
	switch {
	case more == 0:
		return s
	case s == "":
		return strconv.Itoa(more) + " in all"
	}
	return s + " and " + strconv.Itoa(more) + " more"
}

// words describes one holder.
func (h Holder) words() string {
	path := harmless(h.Path)
	switch h.What {
	case Submount:
		return path + " is mounted on it"
	case Swap:
		return path + " is swap space"
	case Loop:
		return path + " is behind " + harmless(h.Command)
	case Above:
		return path + " lies on it"
	case Overlay:
		return "the overlay on " + path + " has layers in it"
	case Cwd:
		path = "works in " + path
	case Root:
		path = "has its root in " + path
	case Mapped:
		path = "has mapped " + path
	case Executable:
		path = "runs " + path
	}
	return harmless(h.Command) + " (pid " + strconv.Itoa(h.PID) + ", " + path + ")"
}

// harmless writes characters that are not printable, and bytes that are not
// UTF-8, as escapes of Go. Other users choose the names of files and programs,
// so the names may have any bytes.
func harmless(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)):
			const hex = "0123456789abcdef"
			b.WriteString(`\x` + string(hex[s[i]>>4]) + string(hex[s[i]&15]))
		case r == ' ' || unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}
