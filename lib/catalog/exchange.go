package catalog

import (
	"errors"
	"fmt"
)

// Exchange gives a volume the content of another one, that is new and that an
// intent hides: the two records change their names in one write of the journal,
// as in a Rename, and the intent ends with it. If remove is set, the same write
// begins the delete of the old content, under the name that was hidden.
// Otherwise the old content is a volume of that name.
//
// The properties and the rest of what a user has said of the volume stay with
// its name. The caller holds the pool's lock exclusively, and has the devices
// of both volumes removed. Errors: *spec.NameError, ErrNoVolume.
func (c *Catalog) Exchange(volume, hidden string, remove bool) error {
	old, err := c.Volume(volume)
	if err != nil {
		return err
	}
	i := c.pool.intent(hidden)
	if i < 0 || c.pool.Intents[i].Op != OpFormat {
		return fmt.Errorf("volume %s/%s: is not being made", c.name, hidden)
	}
	made, err := c.VolumeAnyState(hidden)
	if err != nil {
		return err
	}
	// See Rename: the checkpoint has to come before.
	if len(c.pool.done) > 0 {
		if err := c.releaseDone(); err != nil {
			return err
		}
	}
	made.Name, made.Properties = volume, old.Properties
	kept := old
	kept.Name, kept.Properties = hidden, nil
	before := c.Pool().Intents
	if err := c.SetPool(func(p *Pool) {
		p.DropIntent(hidden)
		p.done = []Intent{{Op: OpCreate, Volume: volume, ID: made.ID, Record: &made}}
		old := Intent{Op: OpCreate, Volume: hidden, ID: kept.ID, Record: &kept}
		if remove {
			old.Op = OpDelete
			p.Intents = append(p.Intents, old)
		} else {
			p.done = append(p.done, old)
		}
	}); err != nil {
		return err
	}
	err = c.placeRecord(kept)
	if err == nil {
		err = c.placeRecord(made)
	}
	if err != nil {
		err = errors.Join(err, c.SetPool(func(p *Pool) { p.Intents, p.done = before, nil }))
		return fmt.Errorf("volume %s/%s: %w", c.name, volume, err)
	}
	return nil
}
