package volumes

import (
	"context"
	"errors"
	"fmt"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/mkfs"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// CreateSpec describes a new volume.
type CreateSpec struct {
	Volume spec.Volume
	Size   int64  // bytes, rounded up to whole blocks of the pool
	FS     string // filesystem to make; "" leaves the volume unformatted
	Label  string // the filesystem's label
	Force  bool   // create it even if less than the pool's margin is free
}

// Create makes an empty volume and, if the caller asks for it, a filesystem on
// it. When Create returns nil, the volume exists and has its filesystem. If
// Create fails or dies, the volume does not exist.
func Create(ctx context.Context, s *host.System, want CreateSpec) error {
	_, err := create(ctx, s, want, nil)
	return err
}

// create is Create and Ensure. If the volume exists and suits is not nil, suits
// is asked about its record, and nothing is made.
func create(
	ctx context.Context, s *host.System, want CreateSpec,
	suits func(*catalog.Catalog, catalog.Volume) error,
) (made bool, err error) {
	if err := checkCreate(want); err != nil {
		return false, err
	}
	err = s.Use(ctx, func(wait context.Context, c *dm.Control) error {
		if _, err := registry.OpenCatalog(s, want.Volume.Pool); err != nil {
			return err
		}
		ref, err := registry.LockNew(wait, s, want.Volume)
		if err != nil {
			return err
		}
		defer func() { unlock(s, ref, made) }()
		if suits != nil {
			cat, v, ok, err := existing(s, want.Volume)
			if err != nil {
				return err
			}
			if ok {
				return suits(cat, v)
			}
		}
		if want.FS != "" {
			if err := checkFS(want.Volume.String(), want.FS, want.Label); err != nil {
				return err
			}
		}
		cat, err := registry.OpenCatalog(s, want.Volume.Pool)
		if err != nil {
			return err
		}
		if err := engine.ClearName(wait, s, c, cat, want.Volume); err != nil {
			return err
		}
		v, err := createUnformatted(wait, s, c, want)
		if err == nil && want.FS != "" {
			err = finishNew(ctx, s, c, v, makeFS(ctx, s, c, v, want.FS, want.Label))
		}
		made = err == nil
		return err
	})
	return made, err
}

// unlock releases the lock of a volume that was to be made. If it was made, the
// lock file goes: those of many volumes would pile up.
func unlock(s *host.System, ref *refcount.Ref, made bool) {
	if made {
		ref.CloseRemove()
	} else {
		registry.Unlock(s, ref)
	}
}

func checkCreate(want CreateSpec) error {
	if err := want.Volume.Check(); err != nil {
		return fault.Wrap(fault.ErrUsage, err)
	}
	if want.Size <= 0 {
		return &fault.Error{Object: want.Volume.String(),
			Err:    fault.Errorf(fault.ErrUsage, "a volume needs a size"),
			Remedy: fault.Sayf("add %v, for example %v 2G", fault.OptionSize, fault.OptionSize)}
	}
	if err := thinpool.CheckSize(want.Size); err != nil {
		return &fault.Error{Object: want.Volume.String(),
			Err: fault.Wrap(fault.ErrUsage, fmt.Errorf("size: %w", err))}
	}
	return nil
}

// createUnformatted makes the thin device of a new volume and its record. If a
// filesystem is to follow, it leaves an intent that hides the volume from other
// commands.
func createUnformatted(
	ctx context.Context, s *host.System, c *dm.Control, want CreateSpec,
) (catalog.Volume, error) {
	p, err := engine.OpenActive(ctx, s, c, want.Volume.Pool, engine.Exclusive)
	if err != nil {
		return catalog.Volume{}, err
	}
	defer p.Close()
	v := catalog.Volume{Name: want.Volume.Name, Pool: want.Volume.Pool, PoolUUID: p.UUID(),
		Size: roundUp(p.Catalog.Pool(), want.Size), FS: want.FS}
	next := ""
	if want.FS != "" {
		next = catalog.OpFormat
	}
	s.Stepf("creating %s", want.Volume)
	v, err = p.AddVolume(ctx, v, engine.AddOptions{Next: next, Force: want.Force},
		func(id spec.ID) error { return p.Target.CreateThin(id) })
	if err == nil {
		p.WarnOvercommitted(v.Size)
	}
	return v, err
}

// roundUp rounds size, in bytes, up to a multiple of the pool's block.
func roundUp(p catalog.Pool, size int64) int64 {
	block := int64(p.BlockSize) * dm.SectorSize
	return (size + block - 1) / block * block
}

// finishNew ends the intent that hides a new volume from other commands, unless
// err, the error of what had to follow, is not nil: then it deletes the volume.
func finishNew(
	ctx context.Context, s *host.System, c *dm.Control, v catalog.Volume, err error,
) error {
	wait, cancel := s.Waiting(context.WithoutCancel(ctx))
	defer cancel()
	p, e := engine.OpenActive(wait, s, c, v.Pool, engine.Exclusive)
	if e != nil {
		return errors.Join(err, e)
	}
	defer p.Close()
	if err != nil {
		for _, op := range p.Catalog.Pool().Intents {
			if op.Volume == v.Name {
				err = errors.Join(err, p.DeleteVolume(wait, op))
			}
		}
		return err
	}
	return p.Wrap(p.Catalog.Finish(v.Name))
}

// activateForWrite activates a volume that is to be filled. It returns an error
// if the pool is read-only or has no room.
func activateForWrite(
	ctx context.Context, p *engine.Pool, v catalog.Volume,
) (*engine.Activation, error) {
	st, err := p.CanWrite()
	if err != nil {
		return nil, err
	}
	if st.OutOfData() {
		return nil, p.InState(st)
	}
	return p.ActivateVolume(ctx, v, false)
}

// makeFS activates the volume, runs mkfs on it, and removes its device.
func makeFS(
	ctx context.Context, s *host.System, c *dm.Control, v catalog.Volume, fs, label string,
) error {
	p, a, err := openForWrite(ctx, s, c, v)
	if err != nil {
		return err
	}
	s.Stepf("making %s on %s", fs, v.Spec())
	return writeDevice(ctx, p, a, v, func() error {
		if err := mkfs.Make(
			ctx, fs, a.Path, mkfs.Options{Label: label, Output: output(s)},
		); err != nil {
			return err
		}
		wait, cancel := s.Waiting(ctx)
		defer cancel()
		// Some mkfs programs do not check that what they wrote has arrived.
		return flushed(wait, s, c, v, a.File, p.Catalog.Pool().OnFull == spec.OnFullQueue)
	})
}

// openForWrite calls activateForWrite with the pool opened and active. It holds
// the pool's lock, shared, only while it runs: the pool that it returns is
// closed.
func openForWrite(
	ctx context.Context, s *host.System, c *dm.Control, v catalog.Volume,
) (*engine.Pool, *engine.Activation, error) {
	wait, cancel := s.Waiting(ctx)
	defer cancel()
	p, err := engine.OpenActive(wait, s, c, v.Pool, engine.Shared)
	if err != nil {
		return nil, nil, err
	}
	defer p.Close()
	a, err := activateForWrite(wait, p, v)
	return p, a, err
}

// writeDevice calls do, which writes to the activated volume, and then removes
// the volume's device. If do fails and the pool has run full, the error says
// so. The deadline is for the removal alone: do may take as long as it needs.
func writeDevice(
	ctx context.Context, p *engine.Pool, a *engine.Activation, v catalog.Volume, do func() error,
) error {
	err := do()
	a.Close()
	if err != nil && !errors.As(err, new(*fault.Error)) {
		err = &fault.Error{Object: v.Spec().String(), Err: err}
	}
	if err != nil {
		return p.RanFull(err)
	}
	wait, cancel := p.Sys.Waiting(ctx)
	defer cancel()
	return engine.RemoveDevice(wait, p.Sys, p.DM, v)
}
