package volumes

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"thinmount/lib/spec"
)

// numbered returns n volumes.
func numbered(n int) (all []spec.Volume) {
	for i := range n {
		all = append(all, spec.Volume{Pool: "demo", Name: fmt.Sprint("v", i)})
	}
	return all
}

// sideBySide does all, some at a time, and tells of one at a time.
func TestSideBySide(t *testing.T) {
	var now, most, telling atomic.Int32
	told := map[spec.Volume]error{}
	failing := numbered(20)[7]
	err := sideBySide(context.Background(), numbered(20), func(v spec.Volume) error {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		time.Sleep(5 * time.Millisecond)
		now.Add(-1)
		if v == failing {
			return errGivesBack
		}
		return nil
	}, func(v spec.Volume, err error) {
		if telling.Add(1) != 1 {
			t.Error("two calls of done at a time")
		}
		told[v] = err
		time.Sleep(time.Millisecond)
		telling.Add(-1)
	})
	if err != nil || len(told) != 20 || !errors.Is(told[failing], errGivesBack) {
		t.Errorf("%v, %v", err, told)
	}
	if n := most.Load(); n < 2 || n > atOnce {
		t.Errorf("%d at a time", n)
	}
}

// When its context ends, sideBySide waits for what it has begun, and begins no
// more.
func TestSideBySideEnds(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("enough")
	var begun, done atomic.Int32
	err := sideBySide(ctx, numbered(50), func(spec.Volume) error {
		begun.Add(1)
		cancel(why)
		time.Sleep(5 * time.Millisecond)
		return nil
	}, func(spec.Volume, error) { done.Add(1) })
	if !errors.Is(err, why) || begun.Load() != done.Load() || begun.Load() > 2*atOnce {
		t.Errorf("%v, %d begun, %d done", err, begun.Load(), done.Load())
	}
}
