package fault

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"unicode"
)

func TestShellPath(t *testing.T) {
	for path, want := range map[string]string{
		"/mnt/a-b_c.d+e@f%g:h,i=1": "/mnt/a-b_c.d+e@f%g:h,i=1",
		"/mnt/a b$(x)":             "'/mnt/a b$(x)'",
		"it's; rm -rf ~":           `'it'\''s; rm -rf ~'`,
		"":                         "''",
		"-rf":                      "./-rf",
		"/ä":                       "'/ä'",
		"/a\x1b[2J\n'\\b":          `$'/a\033\1332J\012\047\134b'`,
		"/\u009b/\u202e/\xff":      `$'/\302\233/\342\200\256/\377'`,
	} {
		if got := ShellPath(path); got != want {
			t.Errorf("%q is written %s, want %s", path, got, want)
		}
	}
}

// bash reads from the word the same path that ShellPath was given, and the word
// holds printable characters only.
func FuzzShellPath(f *testing.F) {
	for _, s := range []string{"/mnt/a b$(x)", "it's", "`id`\n\"!\\", "-rf\x9b", "a\u202e$'"} {
		f.Add(s)
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string) {
		path = strings.ReplaceAll(path, "\x00", "")
		word := ShellPath(path)
		if strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q is written %q", path, word)
		}
		// -r is the restricted shell: it limits the harm if a path runs as a
		// command.
		c := exec.Command(bash, "-r", "-c", "printf %s "+word)
		c.Env = []string{"LC_ALL=C", "PATH=/nonexistent"}
		got, err := c.Output()
		if err != nil || !bytes.Equal(bytes.TrimPrefix(got, []byte("./")),
			[]byte(strings.TrimPrefix(path, "./"))) {
			t.Errorf("%q is written %s, which is %q, %v", path, word, got, err)
		}
	})
}
