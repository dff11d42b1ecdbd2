package refcount

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"thinmount/lib/filelock"
	"thinmount/lib/spec"
)

// A file that is taken for a volume's has, to the byte, the name of one of its
// files; and each of these is known again.
func FuzzEntry(f *testing.F) {
	for _, name := range []string{
		"demo@base@mount", "demo@mount", "demo@@mount", "demo@base", "demo@",
		"demo@@turn", "demo@base@turn", "demo@turn", "demo@turn@turn",
		"demo@base.json", ".demo@base.json.tmp", ".demo@a.json.tmp.json.tmp", "demo@.json",
		".demo@base.json", "@base.json", "demo@base.json.tmp", "demo", "x@y@z.json",
		"demo@.hidden.json",
	} {
		f.Add(name, "demo", "base")
	}
	f.Add("x", "a.json1", "b.json.tmp")
	f.Add("x", "p", "turn")
	f.Fuzz(func(t *testing.T, name, pool, volume string) {
		v := of(pool, volume)
		for _, isLock := range []bool{true, false} {
			e := entry(filepath.Base(name), isLock)
			if isLock == (e.Kind == KindRecord || e.Kind == KindTemp) && e.Kind != KindOther ||
				!fits(e) {
				t.Errorf("%q: %+v", name, e)
			}
		}
		if checkNames(v) != nil {
			return
		}
		files := map[string]string{pool + "@" + volume: KindLock,
			pool + "@" + volume + filelock.Turnstile: KindLock,
			pool + "@" + volume + forMount:           KindLock}
		if volume != "" {
			files[pool+"@"+volume+".json"] = KindRecord
			files["."+pool+"@"+volume+".json.tmp"] = KindTemp
		}
		for file, kind := range files {
			if e := entry(file, kind == KindLock); e != (Entry{Path: file, Kind: kind, Volume: v}) {
				t.Errorf("%q: %+v", file, e)
			}
		}
	})
}

// fits tells whether a file has the name that its kind and its owner give it.
func fits(e Entry) bool {
	name := e.Volume.Pool + "@" + e.Volume.Name
	switch e.Kind {
	case KindOther:
		return e.Volume == spec.Volume{}
	case KindLock:
		return checkNames(e.Volume) == nil &&
			slices.Contains([]string{"", filelock.Turnstile, forMount},
				strings.TrimPrefix(e.Path, name))
	}
	return checkNames(e.Volume) == nil && e.Volume.Name != "" &&
		(e.Kind == KindRecord && e.Path == name+".json" ||
			e.Kind == KindTemp && e.Path == "."+name+".json.tmp")
}
