package volumes

import (
	"context"
	"maps"

	"thinmount/lib/dm"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// SetProperties sets properties of a volume, all or none of them. The other
// properties of the volume stay. It does not activate the pool.
func SetProperties(
	ctx context.Context, s *host.System, volume spec.Volume, set spec.Properties,
) error {
	if err := set.Check(); err != nil {
		return &fault.Error{Object: volume.String(), Err: fault.Wrap(fault.ErrUsage, err)}
	}
	return changeProperties(ctx, s, volume,
		func(p spec.Properties) { maps.Copy(p, set) })
}

// UnsetProperties removes properties of a volume, all or none of them. It
// returns nil for a property that the volume does not have.
func UnsetProperties(
	ctx context.Context, s *host.System, volume spec.Volume, keys []string,
) error {
	for _, key := range keys {
		if err := spec.CheckPropertyKey(key); err != nil {
			return &fault.Error{Object: volume.String(), Err: fault.Wrap(fault.ErrUsage, err)}
		}
	}
	return changeProperties(ctx, s, volume, func(p spec.Properties) {
		for _, key := range keys {
			delete(p, key)
		}
	})
}

// changeProperties lets change work on the properties of a volume, and writes
// them down. The volume's lock keeps other commands from writing its record,
// and the pool's lock, exclusive, from writing the journal.
func changeProperties(
	ctx context.Context, s *host.System, volume spec.Volume, change func(spec.Properties),
) error {
	return s.Use(ctx, func(ctx context.Context, c *dm.Control) error {
		ref, _, err := registry.LockKnown(ctx, s, volume)
		if err != nil {
			return err
		}
		defer ref.Close()
		p, err := engine.OpenPool(ctx, s, c, volume.Pool, engine.Exclusive)
		if err != nil {
			return err
		}
		defer p.Close()
		return writeProperties(p, volume, change)
	})
}

// writeProperties is changeProperties for a pool that is open.
func writeProperties(p *engine.Pool, volume spec.Volume, change func(spec.Properties)) error {
	v, err := p.Catalog.Volume(volume.Name)
	if err != nil {
		return registry.Corrupt(volume.String(), err)
	}
	before := v.Properties
	v.Properties = maps.Clone(before)
	if v.Properties == nil {
		v.Properties = spec.Properties{}
	}
	change(v.Properties)
	if maps.Equal(before, v.Properties) {
		return nil
	}
	if err := v.Properties.Check(); err != nil {
		return &fault.Error{Object: volume.String(), Err: fault.Wrap(fault.ErrUsage, err)}
	}
	return p.Wrap(p.Catalog.ReplaceVolume(v))
}
