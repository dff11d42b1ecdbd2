//go:build kernel

package fstab

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// findmnt returns the entries that libmount reads in a file with this text, and
// whether it ignores a line. If a line is malformed, the findmnt of util-linux
// 2.41 says so and stops without an entry. So the caller gives each malformed
// line alone.
func findmnt(t *testing.T, text string) (entries []Entry, ignores bool) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "fstab")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command("findmnt", "--fstab", "--tab-file", file, "-n", "-P", "-o",
		"SOURCE,TARGET,FSTYPE,OPTIONS")
	cmd.Env, cmd.Stderr = append(os.Environ(), "LC_ALL=C"), &said
	out, err := cmd.Output()
	ignores = strings.Contains(said.String(), "parse error at line")
	if err != nil && !ignores && len(text) > 0 { // findmnt fails if there is no entry
		t.Fatalf("findmnt: %v: %s", err, said.String())
	}
	pair := regexp.MustCompile(`[A-Z]+="([^"]*)"`)
	for line := range strings.Lines(string(out)) {
		var f []string
		for _, m := range pair.FindAllStringSubmatch(line, -1) {
			f = append(f, plain(t, m[1]))
		}
		if len(f) != 4 {
			t.Fatalf("findmnt: %q", line)
		}
		if f[3] == "" {
			f[3] = "defaults"
		}
		entries = append(entries, Entry{Spec: f[0], Dir: f[1], Type: f[2], Options: f[3]})
	}
	return entries, ignores
}

// plain undoes the \xHH escapes of findmnt.
func plain(t *testing.T, s string) string {
	t.Helper()
	return regexp.MustCompile(`\\x[0-9a-f]{2}`).ReplaceAllStringFunc(s, func(x string) string {
		n, err := strconv.ParseUint(x[2:], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		return string([]byte{byte(n)})
	})
}

// TestKernelFindmnt compares this package with libmount over the files in
// testdata.
func TestKernelFindmnt(t *testing.T) {
	files, err := filepath.Glob("testdata/fstab/*")
	if err != nil || len(files) < 4 {
		t.Fatalf("testdata: %v, %v", files, err)
	}
	for _, file := range files {
		compare(t, file)
	}
}

// compare wants the same entries from Read and from libmount for a file, and
// wants libmount to ignore each line that Read reports as malformed.
func compare(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read(file)
	for i := range got {
		got[i].Line = 0
	}
	bad := map[int]bool{}
	if joined := errors.Unwrap(err); joined != nil {
		for _, e := range joined.(interface{ Unwrap() []error }).Unwrap() {
			bad[e.(*LineError).Line] = true
		}
	}
	var good strings.Builder
	n := 0
	for line := range strings.Lines(string(text)) {
		if n++; !bad[n] {
			good.WriteString(line)
		} else if entries, ignores := findmnt(t, line); len(entries) > 0 || !ignores {
			t.Errorf("%s, line %d: libmount reads %+v in %q", file, n, entries, line)
		}
	}
	want, ignores := findmnt(t, good.String())
	if !slices.Equal(got, want) || ignores && len(text) > 0 {
		t.Errorf("%s: ours\n%+v, libmount's\n%+v, ignores others: %v", file, got, want, ignores)
	}
}
