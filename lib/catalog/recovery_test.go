package catalog

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestPoolRecovery(t *testing.T) {
	create, remove := Operation{OpCreate, "n", 8, 5}, Operation{OpDelete, "d", 2, 5}
	waiting, format := Operation{OpDelete, "w", 3, 0}, Operation{OpFormat, "f", 4, 0}
	untold := Operation{OpCreate, "u", 9, 0}
	for _, tt := range []struct {
		name   string
		ops    []Operation
		kernel uint64 // the catalog is at 4
		want   []Step
		broken bool
	}{
		{"nothing", nil, 4, nil, false},
		{"create, not told", []Operation{create}, 4, []Step{{create, false}}, false},
		{"create, told", []Operation{create}, 5, []Step{{create, true}}, false},
		{"create without a transaction id", []Operation{untold}, 4, []Step{{untold, false}}, false},
		{"delete, not told", []Operation{remove}, 4, []Step{{remove, false}}, false},
		{"delete, told", []Operation{remove}, 5, []Step{{remove, true}}, false},
		{"delete, discarding", []Operation{waiting}, 4, []Step{{waiting, false}}, false},
		{"format", []Operation{format}, 4, []Step{{format, false}}, false},
		{"told ones first", []Operation{waiting, format, create}, 5, []Step{{create, true}, {waiting, false}, {format, false}}, false},
		{"all untold", []Operation{waiting, create}, 4, []Step{{waiting, false}, {create, false}}, false},
		{"ahead, no operation", nil, 5, nil, true},
		{"ahead, none told", []Operation{waiting, format}, 5, nil, true},
		{"ahead by two", []Operation{create}, 6, nil, true},
		{"behind", []Operation{create}, 3, nil, true},
		{"behind, no operation", nil, 0, nil, true},
		{"pool half made", []Operation{{Op: OpCreatePool}}, 99, []Step{{Operation{Op: OpCreatePool}, false}}, false},
		{"pool half gone", []Operation{waiting, {Op: OpDeletePool}}, 0, []Step{{Operation{Op: OpDeletePool}, false}}, false},
	} {
		p := Pool{Name: "demo", TransactionID: 4, Operations: tt.ops}
		got, err := p.Recovery(tt.kernel)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		var mismatch *MismatchError
		if errors.As(err, &mismatch) != tt.broken || (err != nil) != tt.broken {
			t.Errorf("%s: %v", tt.name, err)
		}
		if tt.broken && *mismatch != (MismatchError{"demo", 4, tt.kernel}) {
			t.Errorf("%s: %+v", tt.name, mismatch)
		}
	}
}

func TestMismatchErrorTellsBoth(t *testing.T) {
	text := (&MismatchError{"demo", 4, 7}).Error()
	for _, part := range []string{"pool demo", "kernel's pool is at transaction id 7", "pool.json at 4"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
}

// An id that the record of another volume has must not be deleted in the course
// of a recovery. A record that cannot be read forbids nothing.
func TestCheckIDSparesOthers(t *testing.T) {
	_, c := newPool(t)
	put(t, c, "a", "b") // ids 0 and 1
	if err := os.WriteFile(c.volumePath("bad"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		op    Operation
		fails string
	}{
		{Operation{OpCreate, "n", 1, 5}, "id 1 is volume b's"},
		{Operation{OpFormat, "a", 1, 0}, "id 1 is volume b's"},
		{Operation{OpDelete, "b", 1, 5}, ""},
		{Operation{OpDelete, "bad", 7, 5}, ""},
		{Operation{OpCreate, "n", 2, 5}, ""},
	} {
		err := c.CheckID(row.op)
		if row.fails == "" && err != nil {
			t.Errorf("%+v: %v", row.op, err)
		}
		if row.fails != "" && (!errors.As(err, new(*CorruptError)) || !strings.Contains(err.Error(), row.fails)) {
			t.Errorf("%+v: %v", row.op, err)
		}
	}
}

func TestOperations(t *testing.T) {
	p := Pool{TransactionID: 4, NextID: 3}
	p.Begin(Operation{OpDelete, "d", 1, 5})
	p.Begin(Operation{OpCreate, "n", 3, 5}) // the delete did not get to the kernel
	if p.NextID != 4 || !slices.Equal(p.Operations, []Operation{{OpDelete, "d", 1, 0}, {OpCreate, "n", 3, 5}}) {
		t.Errorf("begun: %+v", p)
	}
	p.Begin(Operation{OpCreate, "n", 4, 5}) // the next id
	p.FinishInto(Operation{OpFormat, "n", 4, 0})
	if p.TransactionID != 5 || p.NextID != 5 || !slices.Equal(p.Operations, []Operation{{OpDelete, "d", 1, 0}, {OpFormat, "n", 4, 0}}) {
		t.Errorf("created: %+v", p)
	}
	p.Finish("n")
	p.Finish("unknown")
	p.Begin(Operation{OpDelete, "d", 1, 6})
	p.Abandon("d")
	p.Abandon("d")
	if p.TransactionID != 5 || len(p.Operations) != 0 {
		t.Errorf("ended: %+v", p)
	}
}
