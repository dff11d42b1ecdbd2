package volumes

import (
	"context"
	"errors"
	"io"

	"thinmount/lib/catalog"
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
		defer ref.Close()
		if err := refuseReadOnly(v); err != nil {
			return err
		}
		if err := refuseUsed(s, c, ref, v); err != nil {
			return err
		}
		if !force {
			if err := refuseFormatted(wait, s, c, v); err != nil {
				return err
			}
		}
		if err := makeFS(ctx, s, c, v, fs, label); err != nil {
			return err
		}
		return ref.Clear()
	})
}

// refuseFormatted returns ErrExists if the volume carries anything that mkfs
// would overwrite.
func refuseFormatted(ctx context.Context, s *host.System, c *dm.Control, v catalog.Volume) error {
	p, err := engine.OpenActive(ctx, s, c, v.Pool, engine.Shared)
	if err != nil {
		return err
	}
	defer p.Close()
	a, err := p.ActivateVolume(ctx, v, false)
	if err != nil {
		return err
	}
	found, err := fsprobe.Signatures(a, v.Size)
	a.Close()
	if err := p.RemoveVolumeDevice(ctx, v.Name, v.ID); err != nil {
		return err
	}
	if err != nil && !errors.Is(err, fsprobe.ErrNone) {
		return &fault.Error{Object: v.Spec().String(), Err: err}
	}
	if len(found) > 0 {
		return &fault.Error{Object: v.Spec().String(),
			Err:    fault.Errorf(fault.ErrExists, "carries %s already", found[0].Type),
			Remedy: fault.Sayf("%v makes the filesystem anew", fault.OptionForce)}
	}
	return nil
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
