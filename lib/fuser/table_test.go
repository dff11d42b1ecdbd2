package fuser

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"thinmount/lib/mountinfo"
)

const infoSample = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
64 22 253:7 / /mnt/a\040b rw,relatime shared:31 master:7 propagate_from:2 - ext4 /dev/mapper/v rw
65 64 0:41 /sub /mnt/a\040b/s rw - tmpfs a:b rw
`

func parseTable(text string) []mounted { return mounts(mountinfo.Parse(text).All()) }

func TestParseTable(t *testing.T) {
	want := []mounted{
		{22, 1, 254, 0, "/", "/", []string{"1"}, "1"},
		{64, 22, 253, 7, "/", "/mnt/a b", []string{"31", "7", "2"}, "31"},
		{65, 64, 0, 41, "/sub", "/mnt/a b/s", nil, ""},
	}
	if got := parseTable(infoSample); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{
		"", "\n", "1 2 3:4 / /x", "x 2 3:4 / /x rw", "1 x 3:4 / /x rw", "1 2 3 / /x rw",
		"1 2 3: / /x rw", "-1 2 3:4 / /x rw",
	} {
		if got := parseTable(bad); len(got) > 0 {
			t.Errorf("%q: %+v", bad, got)
		}
	}
}

func TestCopies(t *testing.T) {
	ours := "10 1 8:1 / / rw shared:1 - e x rw\n20 10 9:9 / /mnt rw shared:2 - e x rw\n"
	other := func(flags string) string {
		return "30 3 8:1 / / rw " + flags + " - e x rw\n40 30 9:9 / /mnt rw - e x rw\n"
	}
	for _, tt := range []struct {
		name, ours, table string
		want              []int
	}{
		{"own", ours, ours, []int{20}},
		{"peer", ours, other("shared:1"), []int{20, 40}},
		{"slave", ours, other("master:1"), []int{20, 40}},
		{"slave of hidden", ours, other("master:5 propagate_from:1"), []int{20, 40}},
		{"private", ours, other(""), []int{20}},
		{"other group", ours, other("shared:5 master:6"), []int{20}},
		{"not shared", strings.Replace(ours, "shared:1", "master:1", 1), other("master:1"),
			[]int{20}},
		{"other place", ours, strings.Replace(other("shared:1"), "/mnt", "/mnt2", 1), []int{20}},
		{"other filesystem", ours, strings.Replace(other("shared:1"), "9:9", "9:8", 1), []int{20}},
		{"other root", ours, strings.Replace(other("shared:1"), "9:9 /", "9:9 /d", 1), []int{20}},
		{"bind", ours, ours + "50 10 8:1 /mn /b rw - e x rw\n", []int{20}},
		{"below a bind", ours,
			"30 3 8:1 / /host rw master:1 - e x rw\n40 30 9:9 / /host/mnt rw - e x rw\n",
			[]int{20, 40}},
		{"slave of a slave", ours,
			"30 3 8:1 / / rw shared:4 master:1 - e x rw\n31 3 8:1 / /o rw master:4 - e x rw\n" +
				"41 31 9:9 / /o/mnt rw - e x rw\n", []int{20, 41}},
		{"unknown mount", "", other("shared:1"), []int{20}},
	} {
		got := slices.Sorted(maps.Keys(copies(parseTable(tt.ours), parseTable(tt.table), 20)))
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

const mapsSample = `00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/dbus-daemon
00e03000-00e24000 rw-p 00000000 00:00 0           [heap]
7f0000000000-7f0000021000 rw-s 00000000 fd:1f 12                         /mnt/a b (deleted)
7f0000021000-7f0000022000 rw-p 00000000 00:00 0
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]
`

func TestParseMaps(t *testing.T) {
	want := []mapping{
		{"400000-452000", 8, 2, "/usr/bin/dbus-daemon"},
		{"7f0000000000-7f0000021000", 253, 31, "/mnt/a b (deleted)"},
	}
	if got := parseMaps(mapsSample); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	if got := mapName("00000000-00001000"); got != "0-1000" {
		t.Error(got)
	}
}

const swapsSample = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n" +
	"/dev/vdb                                partition\t1024\t0\t-2\n" +
	`/mnt/a\040b\011c\134\040(deleted)       file` + "\t\t1024\t0\t-3\n"

func TestParseSwaps(t *testing.T) {
	if got := parseSwaps(swapsSample, "file"); !slices.Equal(got,
		[]string{"/mnt/a b\tc\\ (deleted)"}) {
		t.Errorf("%q", got)
	}
}

func TestParseUID(t *testing.T) {
	for text, want := range map[string]int{
		"Name:\tx\nUid:\t0\t1000\t2\t3\n": 1000, "Uid:\t1\n": -1, "": -1, "Uid:\t1\tx\t2\t3": -1,
		"XUid:\t1\t2\t3\t4\n": -1,
	} {
		if got := parseUID(text); got != want {
			t.Errorf("%q: %d", text, got)
		}
	}
}

func TestLies(t *testing.T) {
	table := parseTable(
		"1 1 0:1 / / rw - e x rw\n64 1 0:2 / /mnt rw - e x rw\n65 64 0:3 / /mnt/s rw - e x rw\n" +
			"66 64 0:3 / /mnt rw - e x rw\n")
	for file, want := range map[string]string{
		"/mnt/f": "/mnt", "/mnt/s/f": "/mnt/s", "/mnt/sf": "/mnt", "/mntf": "/", "/f": "/",
		"f": "", "/mnt": "/",
	} {
		for _, point := range []string{"/", "/mnt", "/mnt/s"} {
			if got := lies(table, Mount{Point: point}, file); got != (point == want) {
				t.Errorf("%s on %s: %v", file, point, got)
			}
		}
	}
}

func FuzzParseTable(f *testing.F) {
	f.Add(infoSample)
	f.Fuzz(func(t *testing.T, text string) {
		table := parseTable(text)
		for _, m := range table {
			if got := copies(table, table, m.id); !got[m.id] {
				t.Errorf("%d is none of %v", m.id, got)
			}
		}
	})
}

func FuzzParseMaps(f *testing.F) {
	f.Add(mapsSample)
	f.Fuzz(func(t *testing.T, text string) {
		for _, m := range parseMaps(text) {
			if !strings.HasPrefix(m.path, "/") || strings.ContainsAny(m.addresses, "\n ") {
				t.Errorf("%+v", m)
			}
		}
	})
}

func FuzzParseSwaps(f *testing.F) {
	f.Add(swapsSample)
	f.Fuzz(func(t *testing.T, text string) {
		if n := len(parseSwaps(text, "file")); n > strings.Count(text, "file") {
			t.Errorf("%d files", n)
		}
	})
}

func FuzzParseUID(f *testing.F) {
	f.Add("Name:\tx\nUid:\t0\t1000\t2\t3\n")
	f.Fuzz(func(t *testing.T, text string) {
		if uid := parseUID(text); uid < -1 {
			t.Error(uid)
		}
	})
}
