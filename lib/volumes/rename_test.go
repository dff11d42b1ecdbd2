package volumes

import (
	"os"
	"strings"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/spec"
	"thinmount/lib/thintest"
)

// A snapshot's origin is found by its thin id when it was renamed, and not when
// it is gone: another volume may have its name, or its id, by now.
func TestRenamedOrigin(t *testing.T) {
	snapshot := catalog.Volume{Name: "s", ID: 5, TransactionID: 5, Origin: "base", OriginID: 2}
	for _, row := range []struct {
		what string
		all  []catalog.Volume
		want string
	}{
		{"as it was", []catalog.Volume{{Name: "base", ID: 2, TransactionID: 2}}, "base"},
		{"renamed", []catalog.Volume{{Name: "new", ID: 2, TransactionID: 2}}, "new"},
		{"renamed, name used again", []catalog.Volume{{Name: "base", ID: 7, TransactionID: 7},
			{Name: "new", ID: 2, TransactionID: 2}}, "new"},
		{"gone", []catalog.Volume{{Name: "x", ID: 3, TransactionID: 3}}, ""},
		{"gone, name used again", []catalog.Volume{{Name: "base", ID: 7, TransactionID: 7}}, ""},
		{"gone, id used again", []catalog.Volume{{Name: "x", ID: 2, TransactionID: 9}}, ""},
	} {
		p, _ := testPool(t, catalog.KindFile)
		byID := map[spec.ID]catalog.Volume{}
		for _, v := range row.all {
			v.Size = thintest.MiB
			if err := p.Catalog.PutVolume(v); err != nil {
				t.Fatal(err)
			}
			byID[v.ID] = v
		}
		for _, l := range []lister{{cat: p.Catalog}, {cat: p.Catalog, byID: byID}} {
			o, ok := l.origin(snapshot)
			if ok != (row.want != "") || ok && o.Name != row.want {
				t.Errorf("%s: %q, %v", row.what, o.Name, ok)
			}
		}
	}
	if o, ok := (lister{}).origin(catalog.Volume{Name: "x"}); ok {
		t.Errorf("a volume that is no snapshot: %+v", o)
	}
}

// Lines of fstab that have the old name are named in a warning.
func TestRenameWarnsOfFstab(t *testing.T) {
	s := thintest.Scratch(t)
	var said []string
	s.Warn = func(m fault.Message) { said = append(said, m.String()) }
	if err := os.WriteFile(s.Fstab, []byte("demo/x /a thin\n/dev/sda1 / ext4\n"+
		s.RunDir+"/dev/demo/x /b thin.ext4 noauto\ndemo/xx /c thin\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	warnOfFstab(s, thintest.Named("demo/x"), thintest.Named("demo/y"))
	if len(said) != 2 || !strings.Contains(said[0], "line 1, for /a, names demo/x: write demo/y") ||
		!strings.Contains(said[1], "line 3, for /b") {
		t.Errorf("%q", said)
	}
}
