package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good",
		`{"part":"kill","kernel":"6.1.0","scenario":"mount","points":4,"kills":2,"missed":1,`+
			`"longest_suspended":"5ms","failures":[]}
{"part":"kill","kernel":"6.1.0","scenario":"list","points":1,"kills":1,`+
			`"longest_suspended":"0s","failures":[]}
`)
	more := file("more",
		`{"part":"power","cuts":7,"writes_lost":5,"cuts_with_blocks_in_vain":2,"failures":[]}
{"part":"crowd","kills":5,"operations":9,"failures":[]}
{"part":"kill","kernel":"6.1.0","scenario":"mount","points":4,"kills":3,"met":1,`+
			`"longest_suspended":"3ms","failures":[]}
`)
	bad := file("bad",
		`{"part":"fault","scenario":"mount","points":30,"faults":2,`+
			`"failures":[{"point":"fault/mount/ioctl:3:EIO","what":"left: x"}]}`)
	doc := file("doc", "before\n<!-- torture -->\nold\n<!-- /torture -->\nafter\n")
	var out strings.Builder
	n, err := run([]string{"bookworm=" + good, "bookworm=" + more, "forky=" + bad}, doc, &out)
	if err != nil || n != 1 {
		t.Errorf("%d failures, %v; want 1", n, err)
	}
	for _, want := range []string{
		"bookworm: 6 kills, 0 faults, 7 power cuts, 9 operations of a crowd; 0 failures\n",
		"again: test/torture/run --suite forky --only fault/mount/ioctl:3:EIO\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s\nlacks %q", out.String(), want)
		}
	}
	b, _ := os.ReadFile(doc)
	for _, want := range []string{"before\n<!-- torture -->\n|", "| power cuts | 7 | 0 |\n",
		"| of the cuts, with a block of the pool allocated in vain | 2 | 0 |\n",
		"| of them, killed at any moment | 5 | 0 |\n", "| kernel | 6.1.0 |  |\n",
		"| longest time a device stayed suspended | 5ms |  |\n", "| **failures** | 0 | 1 |\n",
		"| mount | 2 of 4 | 0 of 0 | 0 of 0 | 2 of 30 |\n" +
			"| list | 1 of 1 | 0 of 0 | 0 of 0 | 0 of 0 |\n<!-- /torture -->\nafter\n"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s\nlacks %q", b, want)
		}
	}
	if strings.Contains(string(b), "old") {
		t.Error("the old table is still there")
	}
}

func TestReportOfNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, arg := range []string{"bookworm=" + path, "bookworm=" + path + "x", "bookworm"} {
		if _, err := run([]string{arg}, "", &strings.Builder{}); err == nil {
			t.Errorf("%s: want an error", arg)
		}
	}
}
