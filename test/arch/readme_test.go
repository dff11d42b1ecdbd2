package arch

import (
	"io/fs"
	"strings"
	"testing"
)

// text reads a file of the project.
func text(t *testing.T, name string) string {
	t.Helper()
	raw, err := fs.ReadFile(top(), name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// block returns the lines of the indented block that begins with a line,
// without their indent.
func block(page, first string) []string {
	_, rest, found := strings.Cut(page, "    "+first+"\n")
	if !found {
		return nil
	}
	lines := []string{first}
	for line := range strings.Lines(rest) {
		line, inside := strings.CutPrefix(line, "    ")
		if !inside {
			break
		}
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	return lines
}

// The table in the README's session is what thin-snap prints.
func TestHouseReadmeTable(t *testing.T) {
	_, golden, _ := strings.Cut(text(t, "cmd/thin-snap/testdata/script/readme.txtar"),
		"-- list.golden --\n")
	table := strings.Split(strings.TrimSuffix(golden, "\n"), "\n")
	got := block(text(t, "README.md"), table[0])
	if len(table) < 3 || len(got) < len(table) ||
		strings.Join(got[:len(table)], "\n") != strings.Join(table, "\n") {
		t.Errorf("README.md has\n%s\nwant\n%s", strings.Join(got, "\n"), golden)
	}
}

// The README's image build is that of a test, on another pool.
func TestHouseReadmeBuild(t *testing.T) {
	first := "thin-snap run --snapshot-of demo/root --name tools " +
		`--key "$(cksum <1.sh)" --replace -- sh <1.sh`
	steps := block(text(t, "README.md"), first)
	if len(steps) != 3 {
		t.Fatalf("README.md: %d steps, want 3: %q", len(steps), steps)
	}
	rest := text(t, "test/e2e/testdata/script/run.txtar")
	for _, step := range steps {
		_, after, found := strings.Cut(rest, strings.ReplaceAll(step, "demo/", "run/"))
		if !found {
			t.Errorf("run.txtar lacks %q, or has it earlier", step)
			continue
		}
		rest = after
	}
}
