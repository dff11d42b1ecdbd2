package plain

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "",
		"demo/base: not found":           "demo/base: not found",
		"one\ntwo\x1b[31m":               "one; two?[31m",
		"\n a\tb\r\n":                    "a?b",
		"a\u009b2J\u0085b\x9b\u00a0c\\n": "a?2J?b\ufffd\u00a0c\\n",
	} {
		if got := OneLine(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// Whatever comes in, one line of valid text goes out, and what is harmless
// stays.
func FuzzOneLine(f *testing.F) {
	for _, s := range []string{"a\nb", "\x1b]0;x\a", "\xff", " ", "é\u2028"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := OneLine(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("%q: %q", s, got)
		}
		if OneLine(got) != strings.TrimSpace(got) {
			t.Errorf("%q: %q becomes %q", s, got, OneLine(got))
		}
		if !strings.ContainsFunc(s, unicode.IsControl) && utf8.ValidString(s) &&
			got != strings.TrimSpace(s) {
			t.Errorf("%q: %q", s, got)
		}
	})
}
