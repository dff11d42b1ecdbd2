package catalog

import (
	"errors"
	"fmt"
	"os"

	"thinmount/lib/spec"
)

// Rename gives a volume another name. One write of the journal does it: under
// "done" it then has the removal of the old name, and the creation of the new
// one with its record. So the volume has either name at any time, also after a
// power cut. The files follow without a sync. If they do not, because the
// process is killed, the journal is believed until Tidy, TidyOf or the next
// checkpoint has brought them in line.
//
// The caller holds the pool's lock exclusively, and has the volume's device
// removed. Errors: *spec.NameError, ErrNoVolume, fs.ErrExist.
func (c *Catalog) Rename(old, name string) error {
	v, err := c.Volume(old)
	if err != nil {
		return err
	}
	if _, err := c.VolumeAnyState(name); !errors.Is(err, ErrNoVolume) || c.pool.hides(name) {
		if err == nil || errors.Is(err, ErrNoVolume) {
			err = fmt.Errorf("volume %s/%s: %w", c.name, name, errExist)
		}
		return err
	}
	// What the journal says of the two names must not get lost: a record that
	// comes back with the power would be of the same thin device as the new
	// one. And the checkpoint, which the journal's writer makes by itself, has
	// to come before the rename: it writes the files before the journal.
	if len(c.pool.done) > 0 {
		if err := c.releaseDone(); err != nil {
			return err
		}
	}
	v.Name = name
	if err := c.SetPool(func(p *Pool) {
		p.done = []Intent{{Op: OpDelete, Volume: old, ID: v.ID},
			{Op: OpCreate, Volume: name, ID: v.ID, Record: &v}}
	}); err != nil {
		return err
	}
	err = c.placeRecord(v)
	if err == nil {
		err = c.store.disk.unlink(c.volumePath(old))
	}
	if err != nil {
		err = errors.Join(err, c.SetPool(func(p *Pool) { p.done = nil }),
			c.store.disk.unlink(c.volumePath(name)))
		return fmt.Errorf("volume %s/%s: %w", c.name, old, err)
	}
	return nil
}

// alignFiles does to the file of a volume what the journal says under "done",
// if the process that was to do it has died.
func (c *Catalog) alignFiles(volume string) error {
	op, done := c.pool.doneWith(volume)
	if !done || spec.CheckVolumeName(volume) != nil {
		return nil
	}
	_, err := os.Lstat(c.volumePath(volume))
	switch there := err == nil; {
	case op.Op == OpDelete && there:
		return c.store.disk.unlink(c.volumePath(volume))
	case op.Op != OpDelete && !there:
		return c.placeRecord(*op.Record)
	}
	return nil
}
