package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"thinmount/lib/fstype"
)

// TestCompletionKinds wants that each name of a value or an operand is one for
// which internal/complete knows what may stand there, or that it may be
// anything.
func TestCompletionKinds(t *testing.T) {
	known := strings.Fields("POOL NAME POOL/VOLUME POOL/ORIGIN POOL/OLD SNAPSHOT NEW KEY VALUE " +
		"COLUMN COLUMNS DEVICE DIR FS PROPERTY PROGRAM ARG " +
		"SIZE PERCENT LABEL OPTIONS") // anything
	walk(newApp(&env{}).Commands, "", func(path string, c *cli.Command) {
		if len(c.Subcommands) > 0 {
			return
		}
		for _, name := range regexp.MustCompile(`[A-Z][A-Z/]+`).FindAllString(c.UsageText, -1) {
			if !slices.Contains(known, name) {
				t.Errorf("%s: internal/complete does not know %s", path, name)
			}
		}
	})
}

// TestFilesystems compares the manual pages with the list of filesystems.
func TestFilesystems(t *testing.T) {
	for _, row := range []struct {
		file, list string
		want       []string
	}{
		{"man/thin-snap.8", `(?s)Make this filesystem on the volume:(.*?)\.\n`, fstype.Made()},
		{"man/mount.thin.8", `(?s)Found by probing are(.*?)\.\n`, fstype.Mounted()},
	} {
		raw, err := os.ReadFile("../../" + row.file)
		if err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(row.list).FindStringSubmatch(string(raw))
		if m == nil {
			t.Errorf("%s: no list of filesystems", row.file)
			continue
		}
		found := strings.FieldsFunc(m[1],
			func(r rune) bool { return strings.ContainsRune(" ,.\n", r) })
		found = slices.DeleteFunc(found,
			func(w string) bool { return w == "Cm" || w == "or" || w == "and" })
		if !slices.Equal(found, row.want) {
			t.Errorf("%s: %q, want %q", row.file, found, row.want)
		}
	}
}
