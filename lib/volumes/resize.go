package volumes

import (
	"context"
	"errors"
	"fmt"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/fsprobe"
	"thinmount/lib/host"
	"thinmount/lib/mkfs"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
)

// ResizeSpec says how large a volume is to become.
type ResizeSpec struct {
	Volume spec.Volume
	Size   int64 // bytes, rounded up to whole blocks of the pool
	More   bool  // Size is to be added to the present size
	Force  bool  // let it become smaller; ignore the pool's margin
}

// Resize changes the size of a volume and of the filesystem on it, mounted or
// not, and returns the new size in bytes. At each moment the filesystem is at
// most as large as the record says, and the record says at most as much as the
// device has (docs/crashes.md, "resize"). So a volume whose Resize has failed
// or died can be used, and another Resize to the same size finishes it.
func Resize(ctx context.Context, s *host.System, want ResizeSpec) (size int64, err error) {
	err = s.Use(ctx, func(wait context.Context, c *dm.Control) error {
		w, err := beginWork(wait, s, c, want.Volume)
		if err != nil {
			return err
		}
		r := resizing{work: w, want: want}
		defer func() { w.end(ctx, r.a) }()
		size, err = r.run(ctx, wait)
		return err
	})
	return size, err
}

// refuseReadOnly returns the error of a command that would write to a volume
// that was made read-only.
func refuseReadOnly(v catalog.Volume) error {
	if !v.ReadOnly {
		return nil
	}
	return &fault.Error{Object: v.Spec().String(),
		Err: fault.Errorf(fault.ErrUsage, "read-only, as it was made"),
		Remedy: fault.Sayf("a snapshot of it can be written to: %v",
			fault.Snapshot{Volume: v.Spec()})}
}

// resizing is one call of Resize.
type resizing struct {
	*work
	want ResizeSpec

	size int64 // the new size
	a    *engine.Activation
	fs   fsprobe.Result // without a type if its size is not changed
}

// run does it. ctx has no deadline, wait has.
func (r *resizing) run(ctx, wait context.Context) (int64, error) {
	p, a, err := r.activate(wait, r.setSize)
	if err != nil {
		return 0, err
	}
	r.a = a
	shrinks := r.size < r.v.Size
	if err := r.probe(p, shrinks); err != nil {
		return 0, err
	}
	if shrinks {
		return r.size, r.shrink(ctx)
	}
	if r.size > r.v.Size {
		if err := r.grow(wait); err != nil {
			return 0, err
		}
	}
	return r.size, r.resizeFS(ctx, 0)
}

// setSize finds out which size the volume is to get, and whether it may.
func (r *resizing) setSize(p *engine.Pool) error {
	object := r.v.Spec().String()
	size := r.want.Size
	if r.want.More {
		size += r.v.Size
	}
	if err := thinpool.CheckSize(size); err != nil {
		return &fault.Error{Object: object,
			Err: fault.Wrap(fault.ErrUsage, fmt.Errorf("size: %w", err))}
	}
	r.size = roundUp(p.Catalog.Pool(), size)
	if r.size < r.v.Size && !r.want.Force {
		return &fault.Error{Object: object,
			Err: fault.Errorf(fault.ErrUsage, "would become smaller: it has %s",
				fault.ExactSize(r.v.Size)),
			Remedy: fault.Sayf("%v makes it smaller, if its filesystem can be",
				fault.OptionForce)}
	}
	return p.CanGrow(r.want.Force)
}

// probe looks at the filesystem, and whether it can get the new size.
func (r *resizing) probe(p *engine.Pool, shrinks bool) (err error) {
	r.fs, err = fsprobe.Probe(r.a, r.v.Size)
	if shrinks {
		return r.canShrink(p, err)
	}
	return r.canGrow(err)
}

// canGrow looks whether the filesystem can be made larger. probed is the error
// of the probe. What is no filesystem, or one that no program makes larger,
// keeps its size: the volume may grow under it.
func (r *resizing) canGrow(probed error) error {
	object := r.v.Spec().String()
	var other *fsprobe.OtherError
	var several *fsprobe.AmbiguousError
	err := probed
	if err == nil {
		err = mkfs.CheckResize(r.fs.Type, r.size, false)
	}
	missing, isMissing := errors.AsType[*mkfs.MissingError](err)
	switch {
	case err == nil:
		return canMount(r.s, r.rec, r.v, r.a, r.fs)
	case errors.Is(err, fsprobe.ErrNone):
		r.fs = fsprobe.Result{}
		return nil
	case mkfs.KeepsSize(err), errors.As(err, &other), errors.As(err, &several):
		r.fs = fsprobe.Result{}
		r.s.Warnf("%s: the volume grows alone: %v", object, err)
		return nil
	case isMissing:
		return &fault.Error{Object: object, Err: err, Remedy: install(missing)}
	}
	return &fault.Error{Object: object, Err: err}
}

// canShrink looks whether the volume can be made smaller without cutting off
// what is on it.
func (r *resizing) canShrink(p *engine.Pool, probed error) error {
	object := r.v.Spec().String()
	if errors.Is(probed, fsprobe.ErrNone) {
		return r.endsBefore(p)
	}
	err := probed
	if err == nil {
		err = mkfs.CheckResize(r.fs.Type, r.size, true)
	}
	missing, isMissing := errors.AsType[*mkfs.MissingError](err)
	switch {
	case err == nil:
		return canMount(r.s, r.rec, r.v, r.a, r.fs)
	case isMissing:
		return &fault.Error{Object: object, Err: err, Remedy: install(missing)}
	case mkfs.KeepsSize(err):
		return &fault.Error{Object: object, Err: fault.Wrap(fault.ErrUsage, err),
			Remedy: fault.Sayf("make a smaller volume, and copy the files: %v",
				fault.CreateVolume{})}
	}
	return &fault.Error{Object: object, Err: fault.Wrap(fault.ErrUsage, err)}
}

// endsBefore returns an error if a volume without a known content has anything
// beyond its new end, or is in use.
func (r *resizing) endsBefore(p *engine.Pool) error {
	object := r.v.Spec().String()
	if r.rec.Pinned || r.rec.References > 0 {
		return &fault.Error{Object: object, Err: fault.Errorf(fault.ErrBusy, "in use"),
			Remedy: fault.DeactivateVolume{Volume: r.v.Spec()}}
	}
	end, err := mappedEnd(p, r.a, r.v)
	if err != nil {
		return &fault.Error{Object: object, Err: err}
	}
	if end > r.size {
		return &fault.Error{Object: object,
			Err: fault.Errorf(fault.ErrUsage, "has data up to %s, and no filesystem that is known",
				fault.ExactSize(end))}
	}
	return nil
}

// grow makes the device larger, and writes the new size down.
func (r *resizing) grow(ctx context.Context) error {
	if err := r.lockAgain(ctx); err != nil {
		return err
	}
	defer r.unlock()
	p, err := engine.OpenActive(ctx, r.s, r.c, r.v.Pool, engine.Exclusive)
	if err != nil {
		return err
	}
	defer p.Close()
	// The steps have the numbers of the table "resize" in docs/crashes.md.
	// 1. the device's table
	if err := resizeDevice(p, r.v, r.size); err != nil {
		return err
	}
	// 2. the record
	return r.writeSize(p)
}

func (r *resizing) writeSize(p *engine.Pool) error {
	v := r.v
	v.Size = r.size
	r.s.Stepf("%s has %s from now on", v.Spec(), fault.ExactSize(v.Size))
	return p.Wrap(p.Catalog.ReplaceVolume(v))
}

// shrink makes the filesystem smaller, then the volume.
func (r *resizing) shrink(ctx context.Context) error {
	// 1. the filesystem
	if err := r.resizeFS(ctx, r.size); err != nil {
		return err
	}
	// 2. what is mapped behind it
	if err := discardFrom(ctx, r.s, r.a, r.v, r.size); err != nil {
		return &fault.Error{Object: r.v.Spec().String(), Err: err}
	}
	wait, cancel := r.s.Waiting(ctx)
	defer cancel()
	if err := r.lockAgain(wait); err != nil {
		return err
	}
	p, err := engine.OpenActive(wait, r.s, r.c, r.v.Pool, engine.Exclusive)
	if err != nil {
		return err
	}
	defer p.Close()
	// 3. the record
	if err := r.writeSize(p); err != nil {
		return err
	}
	// 4. the device's table
	return resizeDevice(p, r.v, r.size)
}

// resizeFS makes the filesystem as large as size (bytes), or as the device if
// size is 0.
func (r *resizing) resizeFS(ctx context.Context, size int64) error {
	if r.fs.Type == "" {
		return nil
	}
	r.s.Stepf("resizing %s on %s", r.fs.Type, r.v.Spec())
	err := resizeMounted(ctx, r.s, r.a.Path, r.fs.Type, size)
	if err == nil {
		return nil
	}
	what := "grown"
	if size != 0 {
		what = "made smaller"
	}
	return &fault.Error{Object: r.v.Spec().String(),
		Err: fmt.Errorf("its %s could not be %s: %w", r.fs.Type, what, err)}
}

// resizeMounted changes the size of the filesystem on a device that this
// process has open. It mounts the filesystem for itself, once more if it is
// mounted already: the kernel then changes the size in a way that a crash does
// not harm.
func resizeMounted(
	ctx context.Context, s *host.System, device, fstype string, size int64,
) error {
	return withMount(ctx, s, device, fstype, func(dir string) error {
		return mkfs.Resize(ctx, fstype, device, dir, size)
	})
}

// install says how to get a missing program.
func install(m *mkfs.MissingError) fault.Remedy {
	return fault.Hint("apt-get install " + m.Package +
		", or the package that has it on other systems")
}
