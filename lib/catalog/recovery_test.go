package catalog

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestPoolRecovery(t *testing.T) {
	create := Intent{Op: OpCreate, Volume: "n", ID: 8, TransactionID: 5}
	remove := Intent{Op: OpDelete, Volume: "d", ID: 2, TransactionID: 5}
	waiting := Intent{Op: OpDelete, Volume: "w", ID: 3}
	format := Intent{Op: OpFormat, Volume: "f", ID: 4}
	untold := Intent{Op: OpCreate, Volume: "u", ID: 9}
	for _, tt := range []struct {
		name   string
		ops    []Intent
		kernel uint64 // the catalog is at 4
		want   []Step
		broken bool
	}{
		{"nothing", nil, 4, nil, false},
		{"create, not told", []Intent{create}, 4, []Step{{create, false}}, false},
		{"create, told", []Intent{create}, 5, []Step{{create, true}}, false},
		{"create without a transaction id", []Intent{untold}, 4, []Step{{untold, false}}, false},
		{"delete, not told", []Intent{remove}, 4, []Step{{remove, false}}, false},
		{"delete, told", []Intent{remove}, 5, []Step{{remove, true}}, false},
		{"delete, discarding", []Intent{waiting}, 4, []Step{{waiting, false}}, false},
		{"format", []Intent{format}, 4, []Step{{format, false}}, false},
		{"told ones first", []Intent{waiting, format, create}, 5,
			[]Step{{create, true}, {waiting, false}, {format, false}}, false},
		{"all untold", []Intent{waiting, create}, 4, []Step{{waiting, false}, {create, false}},
			false},
		{"ahead, no operation", nil, 5, nil, true},
		{"ahead, none told", []Intent{waiting, format}, 5, nil, true},
		{"ahead by two", []Intent{create}, 6, nil, true},
		{"behind", []Intent{create}, 3, nil, true},
		{"behind, no operation", nil, 0, nil, true},
		{"pool half made", []Intent{{Op: OpCreatePool}}, 99,
			[]Step{{Intent{Op: OpCreatePool}, false}}, false},
		{"pool half gone", []Intent{waiting, {Op: OpDeletePool}}, 0,
			[]Step{{Intent{Op: OpDeletePool}, false}}, false},
	} {
		p := Pool{Name: "demo", TransactionID: 4, Intents: tt.ops}
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
	for _, part := range []string{
		"pool demo", "kernel's pool is at transaction id 7", "the journal at 4",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
}

// Recovery must not delete an id that the record of another volume has. A
// record that cannot be read does not stop recovery.
func TestCheckIDSparesOthers(t *testing.T) {
	_, c := newPool(t)
	put(t, c, "a", "b") // ids 0 and 1
	if err := os.WriteFile(c.volumePath("bad"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		op    Intent
		fails string
	}{
		{Intent{Op: OpCreate, Volume: "n", ID: 1, TransactionID: 5}, "id 1 is volume b's"},
		{Intent{Op: OpFormat, Volume: "a", ID: 1}, "id 1 is volume b's"},
		{Intent{Op: OpDelete, Volume: "b", ID: 1, TransactionID: 5}, ""},
		{Intent{Op: OpDelete, Volume: "bad", ID: 7, TransactionID: 5}, ""},
		{Intent{Op: OpCreate, Volume: "n", ID: 2, TransactionID: 5}, ""},
	} {
		err := c.CheckID(row.op)
		if row.fails == "" && err != nil {
			t.Errorf("%+v: %v", row.op, err)
		}
		if row.fails != "" &&
			(!errors.As(err, new(*CorruptError)) || !strings.Contains(err.Error(), row.fails)) {
			t.Errorf("%+v: %v", row.op, err)
		}
	}
}

func TestOperations(t *testing.T) {
	p := Pool{TransactionID: 4, NextID: 3}
	p.BeginIntent(Intent{Op: OpDelete, Volume: "d", ID: 1, TransactionID: 5})
	create := Intent{Op: OpCreate, Volume: "n", ID: 3, TransactionID: 5}
	p.BeginIntent(create) // the kernel has not seen the delete
	if p.NextID != 4 ||
		!slices.Equal(p.Intents, []Intent{{Op: OpDelete, Volume: "d", ID: 1}, create}) {
		t.Errorf("begun: %+v", p)
	}
	p.BeginIntent(Intent{Op: OpCreate, Volume: "n", ID: 4, TransactionID: 5}) // the next id
	p.advanceIntent(Intent{Op: OpFormat, Volume: "n", ID: 4})
	if p.TransactionID != 5 || p.NextID != 5 ||
		!slices.Equal(p.Intents, []Intent{{Op: OpDelete, Volume: "d", ID: 1},
			{Op: OpFormat, Volume: "n", ID: 4}}) {
		t.Errorf("created: %+v", p)
	}
	p.FinishIntent("n")
	p.FinishIntent("unknown")
	p.BeginIntent(Intent{Op: OpDelete, Volume: "d", ID: 1, TransactionID: 6})
	p.DropIntent("d")
	p.DropIntent("d")
	if p.TransactionID != 5 || len(p.Intents) != 0 {
		t.Errorf("ended: %+v", p)
	}
}
