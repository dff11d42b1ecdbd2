package catalog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"thinmount/lib/jsonfile"
	"thinmount/lib/spec"
)

// begin begins the create of a volume, and returns its intent.
func begin(t *testing.T, c *Catalog, name string) Intent {
	t.Helper()
	pool := c.Pool()
	op := Intent{Op: OpCreate, Volume: name, ID: pool.NextID,
		TransactionID: pool.TransactionID + 1}
	op.Record = &Volume{Name: name, ID: op.ID, Size: 512, TransactionID: op.TransactionID}
	if err := c.SetPool(func(p *Pool) { p.BeginIntent(op) }); err != nil {
		t.Fatal(err)
	}
	return op
}

// A create syncs one file, once, and no folder; so does the second half of a
// delete of a volume whose file is durable.
func TestSyncsOfOneChange(t *testing.T) {
	_, c := newPool(t)
	put(t, c, "old")
	var steps []string
	c.store.disk.before = func(step, path string) error {
		if strings.Contains(step, "sync") {
			steps = append(steps, step+" "+filepath.Base(path))
		}
		return nil
	}
	begin(t, c, "new")
	if err := c.Finish("new"); err != nil {
		t.Fatal(err)
	}
	tid := c.Pool().TransactionID
	if err := c.SetPool(func(p *Pool) {
		p.BeginIntent(Intent{Op: OpDelete, Volume: "old", TransactionID: tid + 1})
	}); err != nil {
		t.Fatal(err)
	}
	if err := c.Finish("old"); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(steps, ", "); got != "datasync journal, datasync journal" {
		t.Error(got)
	}
	if p := c.Pool(); p.TransactionID != 6 || len(p.Intents) != 0 {
		t.Errorf("%+v", p)
	}
}

// Other processes see a new volume from Finish on, and a deleted one until then
// not.
func TestOthersSeeTheChange(t *testing.T) {
	s, c := newPool(t)
	look := func(intents int, want string) {
		t.Helper()
		other, err := s.Open("demo")
		if err != nil {
			t.Fatal(err)
		}
		got, err := other.Volumes()
		if err != nil || names(got) != want || len(other.Pool().Intents) != intents {
			t.Errorf("%q, %v, %+v; want %q", names(got), err, other.Pool(), want)
		}
	}
	op := begin(t, c, "a")
	look(1, "")
	if err := c.Finish("a"); err != nil {
		t.Fatal(err)
	}
	look(0, "a")
	op = Intent{Op: OpDelete, Volume: "a", ID: op.ID, TransactionID: op.TransactionID + 1}
	if err := c.SetPool(func(p *Pool) { p.BeginIntent(op) }); err != nil {
		t.Fatal(err)
	}
	look(1, "")
	if err := c.Finish("a"); err != nil {
		t.Fatal(err)
	}
	look(0, "")
}

// The journal speaks for records whose files the power has taken.
func TestLostFiles(t *testing.T) {
	for what, lose := range map[string]func(path string) error{
		"gone":  os.Remove,
		"empty": func(path string) error { return os.Truncate(path, 0) },
	} {
		s, c := newPool(t)
		for _, name := range []string{"a", "b"} { // b makes the journal say that a is done
			begin(t, c, name)
			if err := c.Finish(name); err != nil {
				t.Fatal(err)
			}
		}
		if err := lose(c.volumePath("a")); err != nil {
			t.Fatal(err)
		}
		other, err := s.Open("demo")
		if err != nil {
			t.Fatal(err)
		}
		got, err := other.Volumes()
		if err != nil || names(got) != "a b" || got[0].ID != 9 || got[0].PoolUUID != uuid {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
		// What others can write was not done by the power.
		if what == "empty" {
			if err := os.Chmod(c.volumePath("a"), 0o606); err != nil {
				t.Fatal(err)
			}
			if v, err := other.Volume("a"); !errors.As(err, new(*CorruptError)) {
				t.Errorf("%+v, %v", v, err)
			}
		}
		if err := other.releaseDone(); err != nil {
			t.Fatal(err)
		}
		if v, err := other.readRecord("a", other.pool); err != nil || v.ID != 9 {
			t.Errorf("%s: the file is not back: %+v, %v", what, v, err)
		}
	}
}

// A file that comes back with the power does not bring back a volume that was
// deleted, whichever of several volumes of that name it is of.
func TestDeletedStaysDeleted(t *testing.T) {
	s, c := newPool(t)
	var files [][]byte
	for range 2 { // two volumes of the name, one after the other
		op := begin(t, c, "a")
		if err := c.Finish("a"); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(c.volumePath("a"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, b)
		if err := errors.Join(c.SetPool(func(p *Pool) {
			p.BeginIntent(Intent{Op: OpDelete, Volume: "a", ID: op.ID,
				TransactionID: p.TransactionID + 1})
		}), c.Finish("a")); err != nil {
			t.Fatal(err)
		}
	}
	for i, b := range files {
		if err := os.WriteFile(c.volumePath("a"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := s.Open("demo")
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			err = again.checkpoint(again.pool)
		} else {
			err = again.releaseDone()
		}
		if got, e := again.Volumes(); err != nil || e != nil || len(got) != 0 {
			t.Errorf("volume %d is back: %v, %v, %v", i, names(got), err, e)
		}
		if _, err := os.Lstat(c.volumePath("a")); err == nil {
			t.Errorf("volume %d: its file is there", i)
		}
	}
}

// The journal does not speak for a record that was replaced: damage is seen.
func TestReplacedRecord(t *testing.T) {
	s, c := newPool(t)
	for _, name := range []string{"a", "b"} {
		begin(t, c, name)
		if err := c.Finish(name); err != nil {
			t.Fatal(err)
		}
	}
	v, err := c.Volume("a")
	v.Properties = spec.Properties{"a.b": "1"}
	if err := errors.Join(err, c.ReplaceVolume(v)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(c.volumePath(name), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	again, err := s.Open("demo")
	if err != nil {
		t.Fatal(err)
	}
	if v, err := again.Volume("a"); !errors.As(err, new(*CorruptError)) {
		t.Errorf("%+v, %v", v, err)
	}
	if v, err := again.Volume("b"); err != nil || v.ID != 10 {
		t.Errorf("%+v, %v", v, err)
	}
}

// The journal adds each volume once, also where one name begins with another.
func TestNamesOfJournalAndFiles(t *testing.T) {
	s, c := newPool(t)
	for _, name := range []string{"a-b", "a", "a.b", "b"} {
		begin(t, c, name)
		if err := c.Finish(name); err != nil {
			t.Fatal(err)
		}
	}
	other, err := s.Open("demo")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := other.Volumes(); err != nil || names(got) != "a a-b a.b b" {
		t.Errorf("%q, %v", names(got), err)
	}
}

// If the power takes the file of the volume that was made last, the journal
// cannot know whether the kernel has made the volume. Settle says that it has.
func TestUndecided(t *testing.T) {
	s, c := newPool(t)
	begin(t, c, "a")
	if err := c.Finish("a"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(c.volumePath("a")); err != nil {
		t.Fatal(err)
	}
	other, err := s.Open("demo")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Volume("a"); !errors.Is(err, ErrNoVolume) {
		t.Error(err)
	}
	op, ok := other.Undecided()
	if !ok || op.Volume != "a" {
		t.Fatalf("%+v, %v", op, ok)
	}
	other.Settle(op)
	if v, err := other.Volume("a"); err != nil || v.ID != op.ID {
		t.Errorf("%+v, %v", v, err)
	}
	if got, err := other.Volumes(); err != nil || names(got) != "a" {
		t.Errorf("%+v, %v", got, err)
	}
	if op, ok := other.Undecided(); ok {
		t.Errorf("%+v", op)
	}
	if p := other.Pool(); p.TransactionID != c.Pool().TransactionID {
		t.Errorf("%+v", p)
	}

	// A create that is undone when it is found is not undecided.
	if err := c.SetPool(func(p *Pool) {
		p.BeginIntent(Intent{Op: OpCreate, Volume: "b", ID: 30, Explicit: true,
			TransactionID: p.TransactionID + 1, Record: &Volume{Name: "b", ID: 30, Size: 512,
				TransactionID: p.TransactionID + 1}})
	}); err != nil {
		t.Fatal(err)
	}
	if op, ok := c.Undecided(); ok {
		t.Errorf("%+v", op)
	}
}

// The journal keeps only so many records. The files of the others are durable.
func TestCheckpoint(t *testing.T) {
	s, c := newPool(t)
	for i := range maxDone*2 + 3 {
		name := fmt.Sprintf("v%02d", i)
		begin(t, c, name)
		if err := c.Finish(name); err != nil {
			t.Fatal(err)
		}
		if len(c.pool.done) > maxDone+1 {
			t.Fatalf("%d records", len(c.pool.done))
		}
	}
	other, err := s.Open("demo")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := other.Volumes(); err != nil || len(got) != maxDone*2+3 {
		t.Errorf("%d, %v", len(got), err)
	}
}

// A pool of the time before the journal gets one at its first change.
func TestPoolWithoutJournal(t *testing.T) {
	s, c := newPool(t)
	put(t, c, "a")
	old := goodPool()
	old.Intents = old.Intents[1:]
	b, reason := encode(old)
	if reason != "" {
		t.Fatal(reason)
	}
	// A journal that pool.json does not speak of counts for nothing.
	for _, stale := range []bool{false, true} {
		if !stale {
			if err := os.Remove(c.journalPath()); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(c.poolPath(), b, 0o600); err != nil {
			t.Fatal(err)
		}
		was, err := s.Open("demo")
		if err != nil {
			t.Fatal(err)
		}
		if p := was.Pool(); p.TransactionID != 4 || p.NextID != 9 || len(p.Intents) != 1 {
			t.Errorf("%+v", p)
		}
		begin(t, was, "b")
		if err := was.Finish("b"); err != nil {
			t.Fatal(err)
		}
		is, err := s.Open("demo")
		if err != nil {
			t.Fatal(err)
		}
		p := is.Pool()
		if p.Format != poolFormat || p.TransactionID != 5 || p.NextID != 10 ||
			len(p.Intents) != 1 || p.Intents[0].Volume != "old" {
			t.Errorf("%+v", p)
		}
		text, err := os.ReadFile(c.poolPath())
		if err != nil || strings.Contains(string(text), "next_id") {
			t.Errorf("%s, %v", text, err)
		}
	}
}

// Without its journal a pool is at transaction id 0, and the next change makes
// the journal.
func TestJournalIsMissing(t *testing.T) {
	s, c := newPool(t)
	put(t, c, "a")
	if err := os.Remove(c.journalPath()); err != nil {
		t.Fatal(err)
	}
	again, err := s.Open("demo")
	if err != nil {
		t.Fatal(err)
	}
	p := again.Pool()
	if p.TransactionID != 0 || p.NextID != 0 || len(p.Intents) != 0 {
		t.Errorf("%+v", p)
	}
	var mismatch *MismatchError
	if _, err := p.Recovery(4); !errors.As(err, &mismatch) {
		t.Error(err)
	}
	if err := again.SetPool(func(p *Pool) { p.TransactionID = 4 }); err != nil {
		t.Fatal(err)
	}
	if err := c.Reload(); err != nil || c.Pool().TransactionID != 4 {
		t.Errorf("%+v, %v", c.Pool(), err)
	}
}

func TestDamagedJournal(t *testing.T) {
	good := func() journal {
		v := goodVolume()
		return journal{Format: journalFormat, PoolUUID: uuid, TransactionID: 4,
			NextID: 9, Intents: []Intent{{Op: OpDelete, Volume: "x", ID: 1}},
			Done: []Intent{{Op: OpCreate, Volume: "base", ID: 3, Record: &v}}}
	}
	for want, spoil := range map[string]func(*journal){
		"":                          func(*journal) {},
		"format: 7":                 func(j *journal) { j.Format = 7 },
		"pool_uuid: belongs to":     func(j *journal) { j.PoolUUID = uuid[1:] + "0" },
		"next_id: 99999999":         func(j *journal) { j.NextID = 99999999 },
		"transaction_id: 1844674":   func(j *journal) { j.TransactionID = 1<<64 - 1 },
		"intents[0]: has no volume": func(j *journal) { j.Intents[0].Volume = "" },
		"has no record":             func(j *journal) { j.Done[0].Record = nil },
		"is named twice":            func(j *journal) { j.Done = append(j.Done, j.Done[0]) },
		"done[0]: record: belongs":  func(j *journal) { j.Done[0].ID = 4 },
		"done[0]: size: 7":          func(j *journal) { j.Done[0].Record.Size = 7 },
		"volume name":               func(j *journal) { j.Intents[0].Volume = "../x" },
	} {
		s, c := newPool(t)
		j := good()
		spoil(&j)
		b, reason := encode(j)
		if reason != "" {
			t.Fatal(reason)
		}
		if _, err := c.store.disk.writeSlot(c.journalPath(), c.number, b); err != nil {
			t.Fatal(err)
		}
		_, err := s.Open("demo")
		if want == "" && err != nil {
			t.Error(err)
		}
		if want != "" &&
			(!errors.As(err, new(*CorruptError)) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// FuzzDecodeJournal reads any JSON as a journal, and uses what it accepts.
func FuzzDecodeJournal(f *testing.F) {
	v := goodVolume()
	b, _ := encode(journal{Format: journalFormat, PoolUUID: uuid, TransactionID: 4,
		NextID: 9, Intents: []Intent{{Op: OpDelete, Volume: "x", ID: 1}},
		Done: []Intent{{Op: OpCreate, Volume: "base", ID: 3, Record: &v}}})
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		var j journal
		p := goodPool()
		if jsonfile.Decode(b, &j) != "" || j.flaw(p) != "" {
			return
		}
		p.Intents, p.done = j.Intents, j.Done
		for _, op := range append(j.Intents, j.Done...) {
			if spec.CheckVolumeName(op.Volume) != nil && p.operationsFlaw() == "" {
				t.Errorf("believes in %q", op.Volume)
			}
			if r, _ := p.spokenFor(op.Volume); r != nil && r.flaw(p) != "" {
				t.Errorf("believes %+v", r)
			}
		}
	})
}

// TestJournalIsDecodedOnce wants two reads of the same journal not to share
// what a caller may change.
func TestJournalIsDecodedOnce(t *testing.T) {
	content := []byte(`{"format":1,"pool_uuid":"` + uuid + `","intents":[{"op":"delete",` +
		`"volume":"a","id":1,"transaction_id":0}],"done":[{"op":"delete","volume":"b","id":2,` +
		`"transaction_id":0}]}`)
	for range 2 {
		j, reason := decodeJournal(content)
		if reason != "" || len(j.Intents) != 1 || j.Intents[0].Volume != "a" ||
			len(j.Done) != 1 || j.Done[0].Volume != "b" {
			t.Fatalf("%+v, %s", j, reason)
		}
		j.Intents[0].Volume, j.Done[0].Volume = "changed", "changed"
	}
	for _, damaged := range []string{"", string(content[1:])} {
		if j, reason := decodeJournal([]byte(damaged)); reason == "" {
			t.Errorf("%q: %+v", damaged, j)
		}
	}
}
