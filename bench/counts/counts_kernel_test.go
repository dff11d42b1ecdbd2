//go:build kernel

package counts

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

var write = flag.String("table", "", "write the table to this file, and compare nothing")

// operation is a command whose calls are counted. before is done untraced.
type operation struct {
	name   string
	argv   []string
	before func(t *testing.T)
}

// tidied makes it look as if a command had tidied the pool so long ago: one
// that is due to tidy makes more calls (docs/crashes.md).
func tidied(t *testing.T, ago time.Duration) {
	t.Helper()
	at := time.Now().Add(-ago)
	if err := os.Chtimes("/run/thin/locks/counts@", at, at); err != nil {
		t.Fatal(err)
	}
}

// operations are the commands on a pool that is active, in their order. Each
// round begins and ends with an empty pool.
func operations(dir string) []operation {
	return []operation{
		{"create", []string{"thin-snap", "create", "--size", "64M", "counts/empty"}, nil},
		{"create --fs ext4", []string{"thin-snap", "create", "--size", "64M", "--fs", "ext4",
			"counts/base"}, nil},
		{"mount", []string{"mount.thin", "counts/base", dir}, nil},
		{"mount again", []string{"mount.thin", "counts/base", dir}, nil},
		{"snapshot, origin mounted", []string{"thin-snap", "snapshot", "counts/base",
			"counts/live"}, func(t *testing.T) { fill(t, dir) }},
		{"umount, not last", []string{"umount.thin", dir}, nil},
		{"umount", []string{"umount.thin", dir}, nil},
		{"snapshot, origin idle", []string{"thin-snap", "snapshot", "counts/base", "counts/idle"},
			nil},
		{"snapshot, tidying", []string{"thin-snap", "snapshot", "counts/base", "counts/tidy"},
			func(t *testing.T) { tidied(t, time.Hour) }},
		{"run", []string{"thin-snap", "run", "counts/base", "--", "true"}, nil},
		{"run --ephemeral", []string{"thin-snap", "run", "--snapshot-of", "counts/base",
			"--ephemeral", "--", "true"}, nil},
		{"list", []string{"thin-snap", "list", "counts"}, nil},
		{"show", []string{"thin-snap", "show", "counts/idle"}, nil},
		{"delete", []string{"thin-snap", "delete", "-y", "counts/idle"}, nil},
		{"delete, with blocks of its own", []string{"thin-snap", "delete", "-y", "counts/live"},
			func(t *testing.T) {
				must(t, "mount", "-t", "thin", "counts/live", dir)
				fill(t, dir)
				must(t, "umount", dir)
			}},
	}
}

// TestKernelCounts wants that no command makes more calls than the table of
// this suite says, nor fewer: a change that saves a call writes the table anew.
// A number that differs is looked at in more runs.
func TestKernelCounts(t *testing.T) {
	must(t, "thin-snap", "pool", "create", "--size", "1G", "counts")
	defer must(t, "thin-snap", "pool", "delete", "-r", "-y", "counts")
	want, suite := wanted(t)
	var got Range
	for range rounds {
		got.Add(round(t))
		if grown, shrunk := Compare(want, got); *write == "" && len(grown)+len(shrunk) == 0 {
			return
		}
	}
	if *write != "" {
		if err := os.WriteFile(*write, []byte(got.Least.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	grown, shrunk := Compare(want, got)
	for _, line := range grown {
		t.Errorf("more: %s", line)
	}
	for _, line := range shrunk {
		t.Errorf("fewer: %s", line)
	}
	t.Logf("if that is meant: bench/counts/update %s\n%s", suite, got.Least)
}

// rounds is how often the commands run if a number is not as wanted.
const rounds = 4

// wanted is the table of the suite that runs, and the suite's name.
func wanted(t *testing.T) (Table, string) {
	t.Helper()
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		t.Fatal(err)
	}
	suite := "unknown"
	if m := regexp.MustCompile(`(?m)^VERSION_CODENAME="?(\w+)`).FindSubmatch(release); m != nil {
		suite = string(m[1])
	}
	if *write != "" {
		return nil, suite
	}
	text, err := os.ReadFile(filepath.Join("testdata", suite+".tsv"))
	if err != nil {
		t.Fatalf("no table of %s: bench/counts/update %s makes it: %v", suite, suite, err)
	}
	table, err := ParseTable(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return table, suite
}

// round runs each command once.
func round(t *testing.T) (table Table) {
	dir := t.TempDir()
	for _, o := range operations(dir) {
		tidied(t, 0)
		if o.before != nil {
			o.before(t)
		}
		table = append(table, Row{o.name, traced(t, o.argv)})
	}
	must(t, "thin-snap", "delete", "-y", "counts/base", "counts/empty",
		"counts/tidy")
	return table
}

// traced runs a command under strace.
func traced(t *testing.T, argv []string) Counts {
	t.Helper()
	file := filepath.Join(t.TempDir(), "trace")
	must(t, append([]string{"strace", "-f", "-qq", "-s", "160", "-o", file, "-e", "signal=none",
		"-e", "trace=" + Calls}, argv...)...)
	trace, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return Parse(string(trace))
}

func must(t *testing.T, argv ...string) {
	t.Helper()
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v: %s", argv, err, out)
	}
}

// fill makes a filesystem dirty.
func fill(t *testing.T, dir string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "data"), bytes.Repeat([]byte("dirty "), 300000),
		0o644); err != nil {
		t.Fatal(err)
	}
}
