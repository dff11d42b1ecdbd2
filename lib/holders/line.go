package holders

import (
	"strconv"
	"strings"
)

// Line names the first of the holders, at most limit, and how many more there
// are: "vim (pid 812) has open /mnt/notes, and 3 more". Without holders it is "".
func Line(found []Holder, limit int) string {
	var b strings.Builder
	for i, h := range found {
		switch {
		case i == limit:
			return b.String() + ", and " + strconv.Itoa(len(found)-limit) + " more"
		case i > 0 && h.PID != 0 && h.PID == found[i-1].PID:
			b.WriteString(" and " + string(h.Kind) + " " + printable(h.Path))
			continue
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(h.String())
	}
	return b.String()
}

// String is one holder in words.
func (h Holder) String() string {
	switch h.Kind {
	case Mounted:
		return printable(h.Path) + " is mounted on it"
	case Loop:
		return h.Command + " is on its file " + printable(h.Path)
	case Swap:
		return "the system swaps to " + printable(h.Path)
	}
	return printable(h.Command) + " (pid " + strconv.Itoa(h.PID) + ") " + string(h.Kind) + " " + printable(h.Path)
}

// printable keeps what others have named from making lines or colours.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}
