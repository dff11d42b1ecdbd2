package fuser

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	vim := Holder{PID: 812, Command: "vim", What: Open, Path: "/mnt/notes.txt"}
	vim2 := Holder{PID: 812, Command: "vim", What: Open, Path: "/mnt/b"}
	sleep := Holder{PID: 99, Command: "sleep", What: Cwd, Path: "/mnt/dir"}
	sub := Holder{What: Submount, Path: "/mnt/sub"}
	for _, tt := range []struct {
		found []Holder
		limit int
		want  string
	}{
		{nil, 3, ""},
		{[]Holder{vim, sleep, sub, vim, vim, vim}, 3,
			"vim (pid 812, /mnt/notes.txt), sleep (pid 99, works in /mnt/dir), /mnt/sub is " +
				"mounted on it and 3 more"},
		{[]Holder{vim, vim2, sleep}, 2,
			"vim (pid 812, /mnt/notes.txt), sleep (pid 99, works in /mnt/dir) and 1 more"},
		{[]Holder{vim, vim2}, 2, "vim (pid 812, /mnt/notes.txt), vim (pid 812, /mnt/b)"},
		{[]Holder{vim}, 0, "1 in all"},
		{[]Holder{vim}, -1, "1 in all"},
		{[]Holder{{PID: 1, Command: "a", What: Root, Path: "/m", More: 4}}, 9,
			"a (pid 1, has its root in /m) and 4 more"},
		{[]Holder{{PID: 1, Command: "a", What: Mapped, Path: "/m/x"}}, 9,
			"a (pid 1, has mapped /m/x)"},
		{[]Holder{{PID: 1, Command: "a", What: Executable, Path: "/m/x"}}, 9,
			"a (pid 1, runs /m/x)"},
		{[]Holder{{What: Swap, Path: "/m/x"}, {What: Loop, Command: "loop3", Path: "/m/y"}}, 9,
			"/m/x is swap space, /m/y is behind loop3"},
		{[]Holder{{PID: 1, Command: "a\n\x1b[31m", What: Open,
			Path: "/m/\t\u202e\u00e4 \xff\u009b\ufffd\u2028'"}}, 9,
			`a\n\x1b[31m (pid 1, /m/\t\u202e` + "\u00e4" + ` \xff\u009b` + "\ufffd" + `\u2028')`},
	} {
		if got := Line(tt.found, tt.limit); got != tt.want {
			t.Errorf("limit %d: %s\nwant %s", tt.limit, got, tt.want)
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add("vim", "/mnt/notes.txt", 1)
	f.Add("a\x1b]0;x\a", "/mnt/\xff\u202e\r\n", 2)
	f.Fuzz(func(t *testing.T, command, path string, limit int) {
		var all []Holder
		for _, what := range []string{Cwd, Open, Submount, Loop, Swap} {
			all = append(all, Holder{PID: 1, Command: command, What: what, Path: path})
		}
		line := Line(all, limit)
		if !utf8.ValidString(line) || strings.ContainsFunc(line,
			func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q", line)
		}
	})
}
