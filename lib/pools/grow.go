package pools

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/unix"

	"thinmount/lib/backing"
	"thinmount/lib/catalog"
	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/label"
	"thinmount/lib/loop"
	"thinmount/lib/thinpool"
)

// Growth says how large one part of a pool (its data or its metadata) becomes.
// The zero value does not change the part.
type Growth struct {
	Size int64 // bytes, rounded down to whole blocks
	More bool  // Size is added to the present size
}

// GrowSpec says which pool grows, and by how much. If Data and Metadata both
// are zero, each part takes the rest of its device.
type GrowSpec struct {
	Pool           string
	Data, Metadata Growth
}

// GrowPool makes a pool larger. Its volumes may be in use; writes that wait for
// room go on. If the process is killed, the next command on the pool finishes
// the growing. docs/design.md, "grow", has the order of the steps.
func GrowPool(ctx context.Context, s *host.System, spec GrowSpec) error {
	return engine.Alone(ctx, s, spec.Pool, engine.OpenActive,
		func(ctx context.Context, p *engine.Pool) error { return grow(ctx, p, spec) })
}

// grow is GrowPool for a pool that is open and active.
func grow(ctx context.Context, p *engine.Pool, spec GrowSpec) error {
	cfg := p.Catalog.Pool()
	meta, err := planGrowth(cfg, dmname.Meta, spec)
	if err != nil {
		return err
	}
	data, err := planGrowth(cfg, dmname.Data, spec)
	if err != nil {
		return err
	}
	if meta, err = metadataToo(cfg, spec, data, meta); err != nil {
		return err
	}
	if spec.Data == (Growth{}) && spec.Metadata == (Growth{}) &&
		meta == cfg.Metadata.Size && data == cfg.Data.Size {
		return &fault.Error{
			Object: "pool " + spec.Pool,
			Err: fault.Errorf(fault.ErrUsage, "%s and %s have no room left",
				cfg.Data.Path, cfg.Metadata.Path),
			Remedy: fault.Hint("make the devices larger first"),
		}
	}
	if err := canTake(p, meta > cfg.Metadata.Size, data > cfg.Data.Size); err != nil {
		return err
	}
	if err := growPart(ctx, p, dmname.Meta, meta); err != nil {
		return err
	}
	if err := growPart(ctx, p, dmname.Data, data); err != nil {
		return err
	}
	if data > cfg.Data.Size {
		health.WarnLargerThanBelow(p.Sys, p.Catalog.Pool())
		warnLittleMetadata(p.Sys, p.Catalog.Pool())
	}
	return nil
}

// canTake returns an error if the pool's state does not allow the growing. A
// pool that has failed or needs a check cannot grow. A read-only pool cannot
// grow its data alone: the kernel would fail, and then ask for a check. meta
// and data say which parts grow.
func canTake(p *engine.Pool, meta, data bool) error {
	st, err := p.Target.Status()
	if err != nil {
		return p.Wrap(fault.Wrap(fault.ErrPoolState, err))
	}
	if (meta || data) && (st.Failed() || st.NeedsCheck) || data && !meta && st.Writable() != nil {
		return p.InState(st)
	}
	return nil
}

// planGrowth returns the new size (bytes) of a part. The error is ErrUsage if
// the part cannot have the size that spec asks for.
func planGrowth(cfg catalog.Pool, part string, spec GrowSpec) (int64, error) {
	b, g, unit, limit := cfg.Data, spec.Data, health.BlockBytes(cfg), thinpool.MaxSize
	if part == dmname.Meta {
		b, g, unit, limit =
			cfg.Metadata, spec.Metadata, thinpool.MetadataBlock, thinpool.MaxMetadata
	}
	refuse := func(remedy fault.Remedy, format string, args ...any) (int64, error) {
		return 0, &fault.Error{
			Object: "pool " + cfg.Name,
			Err:    fault.Errorf(fault.ErrUsage, backing.LabelRole(part)+": "+format, args...),
			Remedy: remedy,
		}
	}
	rest := spec.Data == (Growth{}) && spec.Metadata == (Growth{})
	if rest && b.Kind == catalog.KindFile {
		return refuse(fault.Sayf("say by how much: %v", fault.GrowPool{
			Pool: cfg.Name,
			Data: fault.Growth{Size: 10 << 30, More: true},
		}), "lies in a file, which grows by what is asked for")
	}
	if g == (Growth{}) && !rest {
		return b.Size, nil
	}
	room := limit
	if b.Kind == catalog.KindDevice {
		all, err := deviceSize(b.Path)
		if err != nil {
			return 0, err
		}
		room = min(limit, (all-label.Reserved)/unit*unit)
	}
	want := room
	if !rest {
		want = g.Size
		if g.More {
			want += b.Size
		}
		// The sum overflowed.
		if want < 0 {
			want = math.MaxInt64
		}
		if err := checkGrowth(part, want); err != nil {
			return refuse(nil, "%w", err)
		}
		want = want / unit * unit
	}
	switch {
	case rest && want < b.Size:
		return b.Size, nil
	case want < b.Size:
		return refuse(nil, "has %s, and a pool cannot shrink", fault.SizeText(b.Size))
	case g.More && want == b.Size:
		return refuse(nil, "%s more are less than one block of %s", fault.SizeText(g.Size),
			fault.SizeText(unit))
	case want > room:
		return refuse(fault.Hint("make the device larger first"), "%s has room for %s, not for %s",
			b.Path, fault.ExactSize(room), fault.ExactSize(want))
	}
	return want, nil
}

// checkGrowth applies the limits of a new pool to the new size (bytes) of a
// part.
func checkGrowth(part string, size int64) error {
	if part == dmname.Meta {
		// A size below the least is also below the present size, and planGrowth
		// has an error for that.
		return thinpool.CheckMetadataSize(max(size, thinpool.MinMetadata))
	}
	return thinpool.CheckSize(size)
}

// deviceSize returns the size (bytes) of the block device at path.
func deviceSize(path string) (int64, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return loop.Size(f)
}

// growPart makes the backing of a part larger, then writes the new size to the
// catalog, then gives the size to the kernel. In this order the catalog never
// names more bytes than the backing has, and the pool's metadata never names
// more than the catalog. After a crash, the next command finds a size in the
// catalog that the backing really has.
func growPart(ctx context.Context, p *engine.Pool, part string, size int64) error {
	role, backing := backing.LabelRole(part), func(c *catalog.Pool) *catalog.Backing {
		if part == dmname.Meta {
			return &c.Metadata
		}
		return &c.Data
	}
	cfg := p.Catalog.Pool()
	if b := *backing(&cfg); size > b.Size {
		p.Sys.Stepf("growing the %s of pool %s from %s to %s", role, p.Name(),
			fault.SizeText(b.Size), fault.SizeText(size))
		if err := extend(ctx, p, part, b, size); err != nil {
			return p.Wrap(err)
		}
		if err := p.Catalog.SetPool(func(c *catalog.Pool) { backing(c).Size = size }); err != nil {
			return p.Wrap(err)
		}
	}
	if err := p.ApplySizes(); err != nil {
		return err
	}
	return confirmSize(p, part)
}

// extend makes a backing file long enough for size bytes and syncs it. A device
// cannot be made longer; if it is too short, the error is ENOSPC. extend makes
// sure first that the file or device is the pool's own.
func extend(ctx context.Context, p *engine.Pool, part string, b catalog.Backing, size int64) error {
	if _, err := p.Under(part, b); err != nil {
		return err
	}
	f, err := openToExtend(b)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := p.CheckLabel(f, part, b); err != nil {
		return err
	}
	have, err := loop.Size(f)
	if err != nil || have >= label.Reserved+size {
		return err
	}
	if b.Kind == catalog.KindDevice {
		return fmt.Errorf("%s: has %s, not %s: %w", b.Path, fault.ExactSize(have),
			fault.ExactSize(label.Reserved+size), unix.ENOSPC)
	}
	if err := f.Truncate(label.Reserved + size); err != nil {
		return err
	}
	if part == dmname.Meta {
		if err := p.Allocate(ctx, f, have, label.Reserved+size-have); err != nil {
			return errors.Join(err, f.Truncate(have))
		}
	}
	return f.Sync()
}

// openToExtend opens a backing for writing. It follows a symlink to a device,
// since many devices are named by one. It refuses a symlink in place of a file:
// the file behind it would not be the pool's own.
func openToExtend(b catalog.Backing) (*os.File, error) {
	flags := os.O_RDWR | unix.O_CLOEXEC
	if b.Kind == catalog.KindFile {
		flags |= unix.O_NOFOLLOW
	}
	return os.OpenFile(b.Path, flags, 0)
}

// confirmSize returns an error if the kernel has less of a part than the
// catalog says.
func confirmSize(p *engine.Pool, part string) error {
	st, err := p.Target.Status()
	if err != nil {
		return p.Wrap(err)
	}
	cfg := p.Catalog.Pool()
	have, want := int64(st.DataTotal)*health.BlockBytes(cfg), cfg.Data.Size
	if part == dmname.Meta {
		have, want = int64(st.MetaTotal)*thinpool.MetadataBlock, engine.UsableMetadata(cfg)
	}
	if have >= want {
		return nil
	}
	if st.Writable() != nil {
		return p.InState(st)
	}
	return p.Wrap(fault.Errorf(fault.ErrPoolState, "the kernel has %s of %s, not %s",
		fault.ExactSize(have), backing.LabelRole(part), fault.ExactSize(want)))
}
