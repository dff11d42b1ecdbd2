package table

import (
	"errors"
	"strings"
	"testing"

	"thinmount/cmd/thin-snap/internal/usage"
)

// thing is what the listings of these tests list.
type thing struct {
	name string
	size Bytes
	id   int64
}

var columns = []Column[thing]{
	Left("name", "NAME", "what it is called", func(t thing) any { return t.name }),
	Right("size", "SIZE", "how large it is", func(t thing) any { return t.size }),
	Right("id", "ID", "its number", func(t thing) any { return t.id }),
}

func things() []thing {
	return []thing{{"b", 2 << 10, 1}, {"a", 2 << 10, 2}, {"long", 1 << 30, 3}}
}

func listing() *Listing[thing] {
	return &Listing[thing]{
		Command: "x list", Key: "things", Columns: columns, Defaults: "name,size",
		Record: func(t thing) any { return map[string]any{"name": t.name} },
	}
}

func TestWriteList(t *testing.T) {
	for _, tt := range []struct {
		how  Options
		want string
	}{
		{Options{}, "NAME  SIZE\na       2K\nb       2K\nlong    1G\n"},
		{Options{Bare: true, Exact: true}, "a\t2048\nb\t2048\nlong\t1073741824\n"},
		{Options{NamesOnly: true, Columns: "id"}, "a\nb\nlong\n"},
		{Options{Columns: "id", Sort: "id"}, "ID\n 1\n 2\n 3\n"},
		{Options{Bare: true, Columns: "name", SortDescending: "size"}, "long\na\nb\n"},
		{Options{Bare: true, Columns: "+id"}, "a\t2K\t2\nb\t2K\t1\nlong\t1G\t3\n"},
		{Options{JSON: true, NamesOnly: true, SortDescending: "id"},
			`{"output_version":{"command":"x list","major":1,"minor":0},` +
				`"things":[{"name":"long"},{"name":"a"},{"name":"b"}]}` + "\n"},
	} {
		l := listing()
		var out strings.Builder
		err := l.Read(tt.how)
		if err == nil {
			err = l.WriteList(&out, things())
		}
		if err != nil || out.String() != tt.want {
			t.Errorf("%+v: %q, %v, want %q", tt.how, out.String(), err, tt.want)
		}
	}
}

func TestListingRefuses(t *testing.T) {
	for _, how := range []Options{
		{JSON: true, Columns: "id"}, {Sort: "id", SortDescending: "id"}, {Sort: "x"},
		{Columns: "x"},
	} {
		if err := listing().Read(how); !errors.As(err, new(*usage.Error)) {
			t.Errorf("%+v: %v", how, err)
		}
	}
}

func TestListingHelp(t *testing.T) {
	l := listing()
	var out strings.Builder
	if err := l.Read(Options{Columns: "help", JSON: true}); err != nil || !l.AskedHelp() {
		t.Fatalf("asked %v, %v", l.AskedHelp(), err)
	}
	err := l.WriteHelp(&out)
	want := "name  what it is called\nsize  how large it is\nid    its number\n"
	if err != nil || out.String() != want {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// TestEmptyListHasNoHeadings: headings over nothing would look like a thing.
func TestEmptyListHasNoHeadings(t *testing.T) {
	l := listing()
	var out strings.Builder
	if err := l.Read(Options{}); err != nil {
		t.Fatal(err)
	}
	if err := l.WriteList(&out, nil); err != nil || out.Len() > 0 {
		t.Errorf("%q, %v", out.String(), err)
	}
}
