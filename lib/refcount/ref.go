package refcount

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"thinmount/lib/atomicfile"
	"thinmount/lib/filelock"
	"thinmount/lib/spec"
)

// Ref is a volume's record under the volume's lock. It is for one goroutine.
type Ref struct {
	store  Store
	volume spec.Volume
	lock   *filelock.Lock
	record Record
	onDisk bool // a file is there, readable or not
	damage *CorruptError
}

// Record is the record as it was last read, reconciled or saved. Without a file
// it only names the volume.
func (r *Ref) Record() Record { return r.record }

// Damage is the *CorruptError of the record's file when it was locked, or nil.
// The record is then taken as empty, so that Reconcile goes by what the kernel
// says; the next write repairs the file.
func (r *Ref) Damage() error {
	if r.damage == nil {
		return nil
	}
	return r.damage
}

// Volume is the volume whose record and lock this is.
func (r *Ref) Volume() spec.Volume { return r.volume }

func (r *Ref) path() string { return r.store.recordPath(r.volume) }

func (r *Ref) load() error {
	record, err := readRecord(r.path(), r.volume)
	r.onDisk = !errors.Is(err, ErrNoRecord)
	if errors.As(err, &r.damage) || errors.Is(err, ErrNoRecord) {
		record, err = Record{Volume: r.volume}, nil
	}
	r.record = record
	return err
}

// Reconcile makes the record agree with the kernel (Record.Reconcile) and
// writes down what that changes. The record that comes back is right even if
// the error says that it could not be written.
func (r *Ref) Reconcile(o Observed) (Record, error) {
	was := r.record
	now := reconcile(was, o)
	r.record = now
	now.Elsewhere = was.Elsewhere
	if now == was && r.damage == nil || now.Empty() && !r.onDisk {
		return r.record, nil
	}
	now.Elsewhere = r.record.Elsewhere
	return now, r.Save(now)
}

// Add counts one reference more to the mount that is recorded, and writes it
// down.
func (r *Ref) Add() error { return r.count(+1) }

// Drop counts one reference less, and writes it down. The last one goes with
// the unmount itself, by Clear or Save: until the unmount has worked there is
// still a reference, so Drop refuses to take it.
func (r *Ref) Drop() error { return r.count(-1) }

func (r *Ref) count(n int) error {
	next := r.record
	next.References += n
	switch {
	case r.record.References < 1:
		return fmt.Errorf("volume %s: has no references", r.volume)
	case next.References < 1:
		return fmt.Errorf("volume %s: only one reference is left", r.volume)
	}
	return r.Save(next)
}

// Save replaces the record: by a complete new file or, on error, not at all.
// The volume's name is filled in; a record that is Empty removes the file. On a
// full /run the error is unix.ENOSPC.
func (r *Ref) Save(record Record) error {
	record.Volume = r.volume
	if record.Empty() {
		return r.clear(record)
	}
	b, err := encode(record)
	if err != nil {
		return err
	}
	if r.damage != nil {
		// Nothing readable is lost, and a folder there would keep the rename
		// from working.
		_ = os.Remove(r.path())
	}
	// /run does not outlive the kernel, so that the folder need not be synced.
	if err := atomicfile.Replace(r.path(), b, 0o600, r.store.before); err != nil {
		return fmt.Errorf("record of %s: %w", r.volume, err)
	}
	r.record, r.onDisk, r.damage = record, true, nil
	return nil
}

// Clear removes the record.
func (r *Ref) Clear() error { return r.clear(Record{Volume: r.volume}) }

func (r *Ref) clear(record Record) error {
	if err := os.Remove(r.path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("record of %s: %w", r.volume, err)
	}
	r.record, r.onDisk, r.damage = record, false, nil
	return nil
}

// Close gives the lock back. The record stays. A second Close does nothing.
func (r *Ref) Close() error { return r.lock.Unlock() }

// CloseRemove gives the lock back and unlinks its file: for a volume that is
// deleted. A mount that waits for the volume's mount lock makes that file anew.
func (r *Ref) CloseRemove() error {
	err := os.Remove(r.store.lockFile(r.volume) + forMount)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(r.lock.Remove(), err)
}
