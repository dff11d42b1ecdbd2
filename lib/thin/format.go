package thin

import (
	"context"
	"errors"
	"io"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/fsprobe"
)

// Format makes a filesystem on a volume that exists and is not mounted. A
// volume that carries anything already is refused without force.
func (s *System) Format(ctx context.Context, pool, volume, fs, label string, force bool) error {
	if err := checkFS(pool+"/"+volume, fs, label); err != nil {
		return err
	}
	wait, cancel := s.waiting(ctx)
	defer cancel()
	c, err := s.kernel()
	if err != nil {
		return err
	}
	defer c.Close()
	ref, v, err := s.lockKnown(wait, pool, volume)
	if err != nil {
		return err
	}
	defer ref.Close()
	rec, err := s.observeOwn(c, ref, v)
	if err != nil {
		return err
	}
	if err := s.refuseMounted(c, rec, v); err != nil {
		return err
	}
	if rec.Held {
		return &Error{Object: rec.Volume, Err: reason(ErrBusy, "activated for other work"), Hint: "thin-snap deactivate " + rec.Volume}
	}
	if !force {
		if err := s.refuseFormatted(wait, c, v); err != nil {
			return err
		}
	}
	if err := s.makeFS(ctx, c, v, fs, label); err != nil {
		return err
	}
	return ref.Clear()
}

// refuseFormatted looks for anything on the volume that mkfs would overwrite.
func (s *System) refuseFormatted(ctx context.Context, c *dm.Control, v catalog.Volume) error {
	p, err := s.openActive(ctx, c, v.Pool, shared)
	if err != nil {
		return err
	}
	defer p.close()
	a, err := p.activateVolume(ctx, v, false)
	if err != nil {
		return err
	}
	found, err := fsprobe.Signatures(a, v.Size)
	a.Close()
	if err := p.removeVolumeDevice(ctx, v.Name, v.ID); err != nil {
		return err
	}
	if err != nil && !errors.Is(err, fsprobe.ErrNone) {
		return &Error{Object: v.Pool + "/" + v.Name, Err: err}
	}
	if len(found) > 0 {
		return &Error{Object: v.Pool + "/" + v.Name, Err: reason(ErrExists, "carries %s already", found[0].Type), Hint: "--force makes the filesystem anew"}
	}
	return nil
}

// output is where mkfs programs write, never a nil *os.File in an interface.
func (s *System) output() io.Writer {
	if s.Output == nil {
		return nil
	}
	return s.Output
}
