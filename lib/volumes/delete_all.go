package volumes

import (
	"context"
	"errors"
	"sync"

	"thinmount/lib/engine"
	"thinmount/lib/host"
	"thinmount/lib/spec"
)

// atOnce is how many volumes DeleteAll discards at a time. Each discard waits
// for the disk. More of them would only compete for it, and each takes room in
// the journal.
const atOnce = 4

// DeleteAll deletes several volumes, as Delete does, and calls done with the
// result for each. The calls of done do not overlap.
//
// It deletes one after the other those that give back nothing to what lies
// below the pool: all of that happens under the pool's lock. Then it deletes
// the others side by side, since the discards need no lock. In this order the
// discard of one volume does not make another one look as if its blocks were
// its own (engine.Pool.GivesBack).
//
// If ctx ends, DeleteAll begins with no further volume and returns why ctx
// ended. It does not call done for volumes that it has not begun with.
func DeleteAll(
	ctx context.Context, s *host.System, all []spec.Volume, o engine.DeleteOptions,
	done func(spec.Volume, error),
) error {
	if len(all) == 1 {
		done(all[0], Delete(ctx, s, all[0], o))
		return nil
	}
	var slow []spec.Volume
	for _, v := range all {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := deleteOne(ctx, s, v, o, true)
		if errors.Is(err, errGivesBack) {
			slow = append(slow, v)
			continue
		}
		done(v, err)
	}
	return sideBySide(ctx, slow,
		func(v spec.Volume) error { return Delete(ctx, s, v, o) }, done)
}

// sideBySide calls do for each volume, for a few at a time, and then done. If
// ctx ends, it calls do for no further volume, and returns why ctx ended.
func sideBySide(
	ctx context.Context, all []spec.Volume, do func(spec.Volume) error,
	done func(spec.Volume, error),
) error {
	next := make(chan spec.Volume)
	var workers sync.WaitGroup
	var telling sync.Mutex
	for range min(atOnce, len(all)) {
		workers.Go(func() {
			for v := range next {
				err := do(v)
				telling.Lock()
				done(v, err)
				telling.Unlock()
			}
		})
	}
	defer workers.Wait()
	defer close(next)
	for _, v := range all {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		select {
		case next <- v:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
