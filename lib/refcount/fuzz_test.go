package refcount

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"thinmount/lib/filelock"
)

// A file that is taken for a volume's has, to the byte, the name of one of its
// files; and each of these is known again.
func FuzzEntry(f *testing.F) {
	for _, name := range []string{
		"demo@base", "demo@", "demo@@turn", "demo@base@turn", "demo@turn", "demo@turn@turn", "demo@base.json", ".demo@base.json123", ".demo@a.json7.json9",
		"demo@.json", ".demo@base.json", "@base.json", ".demo@base.json12a", "demo", "x@y@z.json", "demo@.hidden.json",
	} {
		f.Add(name, "demo", "base", uint32(17))
	}
	f.Add("x", "a.json1", "b.json", uint32(0))
	f.Add("x", "p", "turn", uint32(1))
	f.Fuzz(func(t *testing.T, name, pool, volume string, number uint32) {
		for _, isLock := range []bool{true, false} {
			e := entry(filepath.Base(name), isLock)
			if isLock == (e.Kind == KindRecord || e.Kind == KindTemp) && e.Kind != KindOther || !fits(e) {
				t.Errorf("%q: %+v", name, e)
			}
		}
		if checkNames(pool, volume) != nil {
			return
		}
		files := map[string]string{pool + "@" + volume: KindLock, pool + "@" + volume + filelock.Turnstile: KindLock}
		if volume != "" {
			files[pool+"@"+volume+".json"] = KindRecord
			files[fmt.Sprintf(".%s@%s.json%d", pool, volume, number)] = KindTemp
		}
		for file, kind := range files {
			if e := entry(file, kind == KindLock); e != (Entry{Path: file, Kind: kind, Pool: pool, Volume: volume}) {
				t.Errorf("%q: %+v", file, e)
			}
		}
	})
}

// fits tells whether a file has the name that its kind and its owner give it.
func fits(e Entry) bool {
	name := e.Pool + "@" + e.Volume
	switch e.Kind {
	case KindOther:
		return e.Pool == "" && e.Volume == ""
	case KindLock:
		return checkNames(e.Pool, e.Volume) == nil && (e.Path == name || e.Path == name+filelock.Turnstile)
	}
	number, isTemp := strings.CutPrefix(e.Path, "."+name+".json")
	return checkNames(e.Pool, e.Volume) == nil && e.Volume != "" &&
		(e.Kind == KindRecord && e.Path == name+".json" || e.Kind == KindTemp && isTemp && number != "" && strings.Trim(number, "0123456789") == "")
}
