package freeze

import (
	"context"
	"errors"
	"testing"
	"time"

	"thinmount/lib/dm"
)

// An ended context lets nothing begin: neither a command nor a watcher.
func TestEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := dm.NewControl(func(uint, []byte) error { t.Error("device-mapper was asked"); return errors.New("no kernel") })
	err := Suspended(ctx, c, dm.ByName("x"), time.Minute, func() error { t.Error("the action ran"); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
