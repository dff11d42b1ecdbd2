package fstab

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const sample = `# /etc/fstab
UUID=ab12 / ext4 errors=remount-ro 0 1
	demo/base  /srv	thin defaults,noatime 0 0  # ours
demo/two /mnt/with\040blank thin rw
demo/three /a\134b\011c thin
tooshort /x
demo/four /y thin rw zero 0
# demo/five /z thin rw 0 0
demo/six /é\99 thin rw 0 2
`

func TestParse(t *testing.T) {
	got, err := Parse(strings.NewReader(sample))
	want := []Entry{
		{"UUID=ab12", "/", "ext4", "errors=remount-ro", 2},
		{"demo/base", "/srv", "thin", "defaults,noatime", 3},
		{"demo/two", "/mnt/with blank", "thin", "rw", 4},
		{"demo/three", "/a\\b\tc", "thin", "", 5},
		{"demo/six", "/é\\99", "thin", "rw", 9},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err == nil || err.Error() != "line 6 is malformed\nline 7 is malformed" {
		t.Errorf("error %v", err)
	}
}

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fstab")
	if got, err := Read(path); got != nil || err != nil {
		t.Errorf("missing: %v, %v", got, err)
	}
	if err := os.WriteFile(path, []byte("a /b thin\nc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := Read(path); len(got) != 1 || err == nil || !strings.Contains(err.Error(), path+": line 2") {
		t.Errorf("%v, %v", got, err)
	}
	if err := os.WriteFile(path, make([]byte, maxSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := Read(path); got != nil || err == nil {
		t.Errorf("too large: %v, %v", got, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Add("a b c d 1 2 # x\n\\040 \\ \\0")
	f.Fuzz(func(t *testing.T, s string) {
		entries, _ := Parse(strings.NewReader(s))
		for _, e := range entries {
			if e.Spec == "" || e.Dir == "" || e.Type == "" || e.Line < 1 {
				t.Errorf("%q: %+v", s, e)
			}
		}
	})
}
