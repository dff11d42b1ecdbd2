package table

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"
)

// cell is one field of a table, aligned at the right or at the left.
type cell struct {
	text  string
	right bool
}

// writeTable prints rows in columns, two blanks apart, without trailing blanks.
func writeTable(w io.Writer, rows [][]cell) error {
	var widths []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c.text))
		}
	}
	var out []byte
	for _, row := range rows {
		for i, c := range row {
			pad := widths[i] - utf8.RuneCountInString(c.text)
			if c.right {
				out = appendBlanks(out, pad)
			}
			out = append(out, c.text...)
			if !c.right {
				out = appendBlanks(out, pad)
			}
			out = append(out, "  "...)
		}
		out = append(bytes.TrimRight(out, " "), '\n')
	}
	_, err := w.Write(out)
	return err
}

func appendBlanks(b []byte, n int) []byte {
	const blanks = "                                "
	for ; n > len(blanks); n -= len(blanks) {
		b = append(b, blanks...)
	}
	return append(b, blanks[:n]...)
}

// writeBare prints rows for programs: one tab between fields.
func writeBare(w io.Writer, rows [][]cell) error {
	var b strings.Builder
	for _, row := range rows {
		for i, c := range row {
			if i > 0 {
				b.WriteByte('\t')
			}
			b.WriteString(c.text)
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}
