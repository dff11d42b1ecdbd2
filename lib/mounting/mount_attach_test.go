package mounting

import (
	"context"
	"errors"
	"testing"

	"thinmount/lib/fault"
	"thinmount/lib/refcount"
	"thinmount/lib/thintest"
)

// A mount for which the kernel took longer than commands wait still gets its
// volume's lock. One that a signal has ended does not.
func TestLockAgain(t *testing.T) {
	s := thintest.System(t.TempDir())
	if err := refcount.CheckDir(s.RunDir); err != nil {
		t.Fatal(err)
	}
	m := &mounting{System: s}
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	<-late.Done()
	ref, err := m.lockAgain(late, thintest.Volume("v", 1))
	if err != nil {
		t.Fatal(err)
	}
	ref.Close()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.lockAgain(ended, thintest.Volume("v", 1)); !errors.Is(err, fault.ErrInterrupt) {
		t.Errorf("%v", err)
	}
}
