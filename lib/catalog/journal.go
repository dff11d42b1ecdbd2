package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"thinmount/lib/jsonfile"
	"thinmount/lib/privdir"
	"thinmount/lib/slotfile"
	"thinmount/lib/spec"
)

// The journal holds what every create and delete changes: the pool's
// transaction id, the next thin id, and the intents. It is written in place
// (package slotfile), with one sync.
//
// A create costs that one write. Its intent holds the whole record. When the
// kernel has made the volume, the record's file is written without a sync, and
// that file says to other processes that the create is done. The power may take
// the file. So the intent stays in the journal, under "done", until the file is
// known to be durable: checkpoint. Until then the journal is believed before a
// file that is missing, damaged, or of another thin device. A delete works the
// same way, with the removal of the file.
//
// An intent that cannot end so is marked explicit, and ends by a write of the
// journal: a create that a format follows, and a delete of a volume whose file
// the power could take.

const journalFile = "journal"

// maxDone is how many intents the journal keeps under "done". The checkpoint
// that follows syncs as many files.
const maxDone = 32

// journal is the content of the journal.
type journal struct {
	Format        int      `json:"format"`
	PoolUUID      string   `json:"pool_uuid"`
	TransactionID uint64   `json:"transaction_id"`
	NextID        spec.ID  `json:"next_id"`
	Intents       []Intent `json:"intents,omitempty"`
	Done          []Intent `json:"done,omitempty"`
}

func (c *Catalog) journalPath() string { return filepath.Join(c.Dir(), journalFile) }

// readJournal reads the journal into p, which is what pool.json says. Without a
// journal the transaction id is 0, and the next thin id 0, which is unknown: a
// pool that was changed has another transaction id in the kernel, and no
// command changes it before a check has repaired that.
func (c *Catalog) readJournal(p *Pool) error {
	corrupt := func(reason string) error {
		return &CorruptError{Path: c.journalPath(), Reason: reason}
	}
	f, unfit, err := privdir.OpenFile(c.journalPath(), os.O_RDONLY)
	switch {
	case unfit != "":
		return corrupt(unfit)
	case errors.Is(err, fs.ErrNotExist):
		c.number = 0
		return nil
	case err != nil:
		return err
	}
	defer f.Close()
	b, number, err := slotfile.Read(f)
	if errors.Is(err, slotfile.ErrTorn) {
		return corrupt(err.Error())
	}
	if err != nil {
		return err
	}
	j, reason := decodeJournal(b)
	if reason != "" {
		return corrupt(reason)
	}
	if reason := j.flaw(*p); reason != "" {
		return corrupt(reason)
	}
	p.TransactionID, p.NextID, p.done = j.TransactionID, j.NextID, j.Done
	p.Intents = append(p.Intents, j.Intents...)
	if reason := p.flaw(); reason != "" {
		return corrupt(reason)
	}
	c.number = number
	c.settle(p)
	return nil
}

// decoded is the last journal that was decoded, and what it was decoded from.
var decoded struct {
	sync.Mutex
	from []byte
	journal
}

// decodeJournal decodes the content of a journal. A command reads the journal
// several times, and mostly finds what it has found before: then nothing is
// decoded. The records of intents are shared with earlier results. reason says
// why the content is damaged, or is "".
func decodeJournal(b []byte) (j journal, reason string) {
	decoded.Lock()
	defer decoded.Unlock()
	if len(b) == 0 || !bytes.Equal(b, decoded.from) {
		if reason := jsonfile.Decode(b, &j); reason != "" {
			return j, reason
		}
		decoded.from, decoded.journal = bytes.Clone(b), j
	}
	j = decoded.journal
	j.Intents, j.Done = slices.Clone(j.Intents), slices.Clone(j.Done)
	return j, ""
}

// flaw says what is wrong with the journal of pool p, or "".
func (j journal) flaw(p Pool) string {
	switch {
	case j.Format != journalFormat:
		return fmt.Sprintf("format: %d; this program knows %d", j.Format, journalFormat)
	case j.PoolUUID != p.UUID:
		return fmt.Sprintf("pool_uuid: belongs to pool %q, not to %q", j.PoolUUID, p.UUID)
	}
	for i, op := range slices.Concat(j.Intents, j.Done) {
		reason := ""
		switch {
		case op.Volume == "":
			reason = "has no volume"
		case op.Record != nil:
			reason = filled(*op.Record, p).flaw(p)
		}
		if reason == "" {
			continue
		}
		if done := i - len(j.Intents); done >= 0 {
			return fmt.Sprintf("done[%d]: %s", done, reason)
		}
		return fmt.Sprintf("intents[%d]: %s", i, reason)
	}
	names := map[string]bool{}
	for i, op := range j.Done {
		reason := op.flaw()
		switch {
		case reason != "":
		case names[op.Volume]:
			reason = fmt.Sprintf("volume: %q is named twice", op.Volume)
		case op.Op != OpDelete && op.Record == nil:
			reason = "has no record"
		}
		if reason != "" {
			return fmt.Sprintf("done[%d]: %s", i, reason)
		}
		names[op.Volume] = true
	}
	return ""
}

// settle ends the intent that the kernel has carried out, if the record's file
// says so.
func (c *Catalog) settle(p *Pool) {
	for _, op := range p.Intents {
		if op.TransactionID == 0 || op.Explicit {
			continue
		}
		switch op.Op {
		case OpCreate:
			v, err := c.readRecord(op.Volume, *p)
			if err != nil || op.Record == nil || !same(v, *op.Record) {
				return
			}
		case OpDelete:
			if _, err := os.Lstat(c.volumePath(op.Volume)); !errors.Is(err, fs.ErrNotExist) {
				return
			}
		}
		p.FinishIntent(op.Volume)
		return // no more than one intent has a transaction id
	}
}

// Undecided returns the create that the kernel may have carried out, although
// there is no file of a record that says so: the power may have taken the file.
// The pool's metadata tells: the kernel has carried it out if the thin id was
// made with the intent's transaction id. The caller then calls Settle.
func (c *Catalog) Undecided() (op Intent, ok bool) {
	for _, op := range c.pool.Intents {
		if op.Op == OpCreate && op.TransactionID != 0 && op.Record != nil && !op.Explicit {
			return op, true // no more than one intent has a transaction id
		}
	}
	return Intent{}, false
}

// Settle ends the intent that Undecided has returned, and writes nothing: the
// volume exists, with the record that the intent holds.
func (c *Catalog) Settle(op Intent) { c.pool.FinishIntent(op.Volume) }

// same says whether two records are of the same thin device.
func same(a, b Volume) bool { return a.ID == b.ID && a.TransactionID == b.TransactionID }

// writeJournal makes the journal say what p does.
func (c *Catalog) writeJournal(p *Pool) error {
	if len(p.done) >= maxDone {
		if err := c.checkpoint(*p); err != nil {
			return err
		}
		p.done = nil
	}
	j := journal{Format: journalFormat, PoolUUID: p.UUID,
		TransactionID: p.TransactionID, NextID: p.NextID, Done: namelessRecords(p.done)}
	for i, op := range p.Intents {
		if op.Volume == "" {
			continue // pool.json has it
		}
		if op.TransactionID != 0 && op.Op == OpDelete {
			// If the power can take the file, its absence does not say that
			// the delete is done.
			_, err := os.Lstat(c.volumePath(op.Volume))
			p.Intents[i].Explicit = err != nil || op.Record != nil
		}
		j.Intents = append(j.Intents, p.Intents[i])
	}
	j.Intents = namelessRecords(j.Intents)
	b, err := json.Marshal(j)
	reason := ""
	if err != nil {
		reason = err.Error()
	}
	if reason == "" && len(b) > slotfile.MaxContent {
		reason = fmt.Sprintf("too many commands were interrupted, or are at work: %d",
			len(j.Intents))
	}
	if reason != "" {
		return errors.New(reason)
	}
	number, err := c.store.disk.writeSlot(c.journalPath(), c.number, b)
	if err == nil {
		c.number = number
	}
	return err
}

// namelessRecords returns the intents with records that do not name the pool.
// So a user who copies or renames a pool has to change its name in the files
// alone that people can edit. The records of volumes that are being deleted
// have no properties: the journal has room for one volume with many of them.
func namelessRecords(ops []Intent) []Intent {
	ops = slices.Clone(ops)
	for i, op := range ops {
		if op.Record != nil {
			v := *op.Record
			v.Pool, v.PoolUUID = "", ""
			if op.Op == OpDelete {
				v.Properties = nil
			}
			ops[i].Record = &v
		}
	}
	return ops
}

// checkpoint makes durable what the intents under "done" have done to files,
// and the files of volumes that intents hide. The caller then removes what is
// under "done".
func (c *Catalog) checkpoint(p Pool) error {
	d := c.store.disk
	hidden := slices.DeleteFunc(slices.Clone(p.Intents),
		func(op Intent) bool { return op.Op == OpCreate || op.Record == nil })
	if len(p.done)+len(hidden) == 0 {
		return nil
	}
	for i, op := range slices.Concat(p.done, hidden) {
		path := c.volumePath(op.Volume)
		v, err := c.readRecord(op.Volume, p)
		gone, missing := op.Op == OpDelete && i < len(p.done), errors.Is(err, ErrNoVolume)
		switch {
		case gone && missing:
			continue
		case gone:
			if err := d.unlink(path); err != nil {
				return err
			}
		case err == nil && same(v, *op.Record):
			if err := d.sync(path); err != nil {
				return err
			}
		default:
			b, reason := encodeVolume(filled(*op.Record, p), p)
			if reason != "" {
				return errors.New(reason)
			}
			if err := d.rename(path, b); err != nil {
				return err
			}
		}
	}
	return d.syncDir(c.volumeDir())
}

// Advance ends the intent of a create that the kernel has carried out, and
// replaces it by an intent with the operation next, which hides the volume. The
// caller holds the pool's lock exclusively.
func (c *Catalog) Advance(volume, next string) error {
	i := c.pool.intent(volume)
	if i < 0 {
		return fmt.Errorf("volume %s/%s: is not being created", c.name, volume)
	}
	op := c.pool.Intents[i]
	if op.Record != nil {
		if err := c.placeRecord(*op.Record); err != nil {
			return fmt.Errorf("volume %s/%s: %w", c.name, volume, err)
		}
	}
	return c.SetPool(func(p *Pool) {
		p.advanceIntent(Intent{Op: next, Volume: volume, ID: op.ID, Record: op.Record})
	})
}

// spokenFor returns what the journal says of a volume's record: the record, or
// that it is gone, or neither.
func (p Pool) spokenFor(volume string) (record *Volume, gone bool) {
	op, done := p.doneWith(volume)
	if i := p.intent(volume); !done && i >= 0 && p.Intents[i].Op != OpCreate {
		op = p.Intents[i]
	}
	if done && op.Op == OpDelete {
		return nil, true
	}
	if op.Record == nil {
		return nil, false
	}
	v := filled(*op.Record, p)
	return &v, false
}

// doneWith returns the intent under "done" that names a volume.
func (p Pool) doneWith(volume string) (Intent, bool) {
	i := slices.IndexFunc(p.done, func(op Intent) bool { return op.Volume == volume })
	if i < 0 {
		return Intent{}, false
	}
	return p.done[i], true
}

// Finish ends the intent on a volume that the kernel has carried out: a create
// or a delete. From here on the change is valid, and other processes see it.
// It is durable, although Finish often syncs nothing: see the comment at the
// top of the file. The caller holds the pool's lock exclusively.
func (c *Catalog) Finish(volume string) error {
	i := c.pool.intent(volume)
	if i < 0 {
		return nil
	}
	op := c.pool.Intents[i]
	var err error
	switch op.Op {
	case OpDelete:
		err = c.store.disk.unlink(c.volumePath(volume))
	case OpCreate:
		err = c.placeRecord(*op.Record)
	}
	if err != nil {
		return fmt.Errorf("volume %s/%s: %w", c.name, volume, err)
	}
	if op.Explicit || op.TransactionID == 0 {
		return c.SetPool(func(p *Pool) { p.FinishIntent(volume) })
	}
	c.pool.FinishIntent(volume)
	return nil
}
