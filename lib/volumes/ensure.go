package volumes

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/host"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
)

// Ensure is Create for a script that may have run before. If the volume exists,
// and has the size and the filesystem that want names, and is no snapshot,
// Ensure changes nothing, and made is false. If it is another, the error is
// ErrExists and says what differs. A label is not compared: the record does not
// have it.
func Ensure(ctx context.Context, s *host.System, want CreateSpec) (made bool, err error) {
	return create(ctx, s, want, func(cat *catalog.Catalog, v catalog.Volume) error {
		var other differences
		if size := roundUp(cat.Pool(), want.Size); v.Size != size {
			other.add("size", fault.ExactSize(v.Size), fault.ExactSize(size))
		}
		if want.FS != "" && v.FS != want.FS {
			other.add("filesystem", v.FS, want.FS)
		}
		if v.Origin != "" {
			other = append(other, "it is a snapshot of "+v.Origin)
		}
		return other.err(v)
	})
}

// EnsureSnapshot is Snapshot for a script that may have run before. If the
// volume exists and is a snapshot of origin, EnsureSnapshot changes nothing,
// and made is false: the snapshot may be old, and may have been written to. A
// size is compared only if opt names one. If the volume is another, the error
// is ErrExists and says what differs.
func EnsureSnapshot(
	ctx context.Context, s *host.System, origin spec.Volume, name string, opt SnapshotOptions,
) (made bool, err error) {
	return snapshot(ctx, s, origin, name, opt,
		func(cat *catalog.Catalog, o, v catalog.Volume) error {
			var other differences
			switch {
			case isOrigin(o, v):
			case v.Origin == o.Name:
				other = append(other, "it is a snapshot of an earlier "+o.Name)
			default:
				other.add("origin", v.Origin, o.Name)
			}
			size := roundUp(cat.Pool(), max(opt.Size, o.Size))
			if opt.Size != 0 && v.Size != size {
				other.add("size", fault.ExactSize(v.Size), fault.ExactSize(size))
			}
			if opt.ReadOnly && !v.ReadOnly {
				other = append(other, "it can be written to")
			}
			return other.err(v)
		})
}

// differences say in what a volume is another than the one that was asked for.
type differences []string

func (d *differences) add(what, is, wanted string) {
	if is != "" {
		is += " and "
	}
	*d = append(*d, fmt.Sprintf("its %s is %snot %s", what, is, wanted))
}

// err returns the error of a volume that differs, or nil.
func (d differences) err(v catalog.Volume) error {
	if len(d) == 0 {
		return nil
	}
	return &fault.Error{Object: v.Spec().String(),
		Err:    fault.Errorf(fault.ErrExists, "exists, but %s", strings.Join(d, ", ")),
		Remedy: fault.Sayf("choose another name, or: %v", fault.DeleteVolume{Volume: v.Spec()})}
}

// existing reads the record of a volume whose lock the caller holds. ok is
// false if there is none, or one whose program was killed.
func existing(
	s *host.System, volume spec.Volume,
) (cat *catalog.Catalog, v catalog.Volume, ok bool, err error) {
	cat, v, err = registry.Find(s, volume)
	if errors.Is(err, fault.ErrNotFound) || errors.Is(err, registry.ErrOfRun) {
		return cat, v, false, nil
	}
	return cat, v, err == nil, err
}
