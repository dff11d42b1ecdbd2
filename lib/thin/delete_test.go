package thin

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"thinmount/lib/catalog"
)

// A volume cannot be activated without its pool, however long that is tried.
func TestActivateWithoutPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, k, _ := testPool(t, catalog.KindFile)
		v := withVolume(t, p, k, "x", 1)
		k.gone = true
		begun := time.Now()
		_, err := p.activateVolume(t.Context(), v, false)
		if !errors.Is(err, ErrPoolState) || err.Error() != "demo/x: pool demo: not active" || Hint(err) != "thin-snap pool activate demo" {
			t.Errorf("%v (%s)", err, Hint(err))
		}
		if waited := time.Since(begun); waited > 0 {
			t.Errorf("waited for %v", waited)
		}
	})
}

// A device that goes away each time it is made ends the discarding, which may
// otherwise take as long as it likes.
func TestDiscardWaitsForNoDeviceWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, k, _ := testPool(t, catalog.KindFile)
		v := withVolume(t, p, k, "x", 1)
		begun := time.Now()
		if err := p.discard(t.Context(), v); !errors.Is(err, ErrBusy) || k.makes == 0 {
			t.Errorf("%v after %d attempts", err, k.makes)
		}
		if waited := time.Since(begun); waited > p.sys.Deadline+time.Second {
			t.Errorf("waited for %v", waited)
		}
	})
}
