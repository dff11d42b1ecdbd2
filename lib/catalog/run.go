package catalog

import (
	"fmt"
	"maps"
)

// A volume in which a program runs, and which was made for that, has an intent
// OpRun until the program has ended well. The command that has begun it is
// alive as long as it holds the volume's lock.

// Run reads the record of a volume that has an intent OpRun. ok is false if
// there is no such volume.
func (c *Catalog) Run(volume string) (v Volume, ok bool) {
	if i := c.pool.intent(volume); i < 0 || c.pool.Intents[i].Op != OpRun {
		return v, false
	}
	v, err := c.VolumeAnyState(volume)
	return v, err == nil
}

// Runs reads the records of the volumes that have an intent OpRun.
func (c *Catalog) Runs() (volumes []Volume) {
	for _, op := range c.pool.Intents {
		if v, ok := c.Run(op.Volume); ok {
			volumes = append(volumes, v)
		}
	}
	return volumes
}

// Interrupted returns the intents without those of programs that may be
// running. Those are looked at from time to time: there may be a hundred, and
// each costs a look at a lock.
func (p Pool) Interrupted() (ops []Intent) {
	for _, op := range p.Intents {
		if op.Op != OpRun {
			ops = append(ops, op)
		}
	}
	return ops
}

// FinishRun ends the intent OpRun on a volume: from here on the volume exists,
// with the properties of v. The caller holds the pool's lock exclusively.
func (c *Catalog) FinishRun(v Volume) error {
	there, ok := c.Run(v.Name)
	if !ok || !same(there, v) {
		return fmt.Errorf("volume %s/%s: nothing runs in it", c.name, v.Name)
	}
	// The file has the properties from the beginning, mostly.
	if !maps.Equal(there.Properties, v.Properties) {
		if err := c.PutVolume(v); err != nil {
			return err
		}
	}
	return c.SetPool(func(p *Pool) {
		p.Intents[p.intent(v.Name)].Record = &v
		p.FinishIntent(v.Name)
	})
}
