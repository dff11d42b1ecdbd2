package volumes

import (
	"context"
	"errors"
	"io"

	"thinmount/lib/dm"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/fsprobe"
	"thinmount/lib/host"
	"thinmount/lib/mkfs"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// Format makes a filesystem on a volume that exists and is not mounted. If the
// volume carries anything already and force is not set, the error is ErrExists.
func Format(
	ctx context.Context, s *host.System, volume spec.Volume, fs, label string, force bool,
) error {
	if err := checkFS(volume.String(), fs, label); err != nil {
		return err
	}
	return s.Use(ctx, func(wait context.Context, c *dm.Control) error {
		ref, v, err := registry.LockKnown(wait, s, volume)
		if err != nil {
			return err
		}
		w := &work{s: s, c: c, ref: ref, v: v}
		defer func() { w.ref.Close() }()
		if err := refuseReadOnly(v); err != nil {
			return err
		}
		if err := refuseUsed(s, c, ref, v); err != nil {
			return err
		}
		if !force {
			if err := w.refuseFormatted(wait); err != nil {
				return err
			}
		}
		if err := makeFS(ctx, s, c, w.v, fs, label); err != nil {
			return err
		}
		return w.ref.Clear()
	})
}

// refuseFormatted returns ErrExists if the volume carries anything that mkfs
// would overwrite. It reads the disk without the volume's lock, and takes the
// lock again.
func (w *work) refuseFormatted(ctx context.Context) error {
	found, err := w.signatures(ctx)
	if e := w.lockAgain(ctx); e != nil {
		return errors.Join(err, e)
	}
	v := w.v
	if e := refuseUsed(w.s, w.c, w.ref, v); e != nil {
		return e
	}
	if e := engine.RemoveDevice(ctx, w.s, w.c, v); e != nil {
		return e
	}
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return &fault.Error{Object: v.Spec().String(),
			Err:    fault.Errorf(fault.ErrExists, "carries %s already", found[0].Type),
			Remedy: fault.Sayf("%v makes the filesystem anew", fault.OptionForce)}
	}
	return nil
}

// signatures looks for what is on the volume. The caller holds the volume's
// lock, and does not hold it afterwards.
func (w *work) signatures(ctx context.Context) (found []fsprobe.Result, err error) {
	defer w.unlock()
	if err := w.takeTurn(); err != nil {
		return nil, err
	}
	defer w.turn.Unlock()
	_, a, err := w.activate(ctx, func(*engine.Pool) error { return nil })
	if err != nil {
		return nil, err
	}
	defer a.Close()
	found, err = fsprobe.Signatures(a, w.v.Size)
	if err != nil && !errors.Is(err, fsprobe.ErrNone) {
		return nil, &fault.Error{Object: w.v.Spec().String(), Err: err}
	}
	return found, nil
}

// output returns the writer for the output of mkfs programs. It never returns a
// nil *os.File as a non-nil interface.
func output(s *host.System) io.Writer {
	if s.Output == nil {
		return nil
	}
	return s.Output
}

// checkFS refuses a filesystem that mkfs cannot make, before anything is
// changed for it. The error is ErrUsage, unless only the mkfs program is
// missing.
func checkFS(object, fs, label string) error {
	err := mkfs.Check(fs, label)
	missing, isMissing := errors.AsType[*mkfs.MissingError](err)
	switch {
	case err == nil:
		return nil
	case isMissing:
		return &fault.Error{Object: object, Err: err, Remedy: install(missing)}
	}
	return &fault.Error{Object: object, Err: fault.Wrap(fault.ErrUsage, err)}
}
