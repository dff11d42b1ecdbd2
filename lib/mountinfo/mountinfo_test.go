package mountinfo

import "testing"

func TestUnescape(t *testing.T) {
	for s, want := range map[string]string{
		`a\040b`: "a b", `\134040`: `\040`, `\04`: `\04`, `\`: `\`, `\0401`: " 1", `\777`: `\777`,
		`\8 1`: `\8 1`, `\+11`: `\+11`, `\_11`: `\_11`, `\377`: "\xff",
	} {
		if got := Unescape(s); got != want {
			t.Errorf("%s: %q", s, got)
		}
	}
}
