package engine

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/fault"
	"thinmount/lib/thintest"
)

// When a command finishes the delete of a dead command, it discards for a short
// time only, and not at all if a delete would not discard by default.
func TestFinishOfTheDeleteOfOthers(t *testing.T) {
	for _, row := range []struct {
		kind   string
		waited time.Duration
	}{{catalog.KindFile, othersWait}, {catalog.KindDevice, 0}} {
		t.Run(row.kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, k, warnings := testPool(t, row.kind)
				withVolume(t, p, k, "x", 1,
					catalog.Intent{Op: catalog.OpDelete, Volume: "x", ID: 1})
				ctx, cancel := p.Sys.Waiting(t.Context())
				defer cancel()
				begun := time.Now()
				if _, err := p.finishDeadCommands(ctx, true); err != nil || k.Told() != "delete 1" {
					t.Errorf("%v; told: %s", err, k.Told())
				}
				if waited := time.Since(begun).Round(100 * time.Millisecond); waited != row.waited {
					t.Errorf("took %v, not %v", waited, row.waited)
				}
				if discards := row.kind == catalog.KindFile; (k.Makes > 0) != discards ||
					(len(*warnings) > 0) != discards {
					t.Errorf("%d attempts to discard, %q", k.Makes, *warnings)
				}
			})
		})
	}
}

// A mount goes on if it cannot finish what dead commands left, but not if the
// pool itself cannot be used.
func TestRecoverIfPossible(t *testing.T) {
	for _, row := range []struct {
		name  string
		spoil func(t *testing.T, p *Pool, k *thintest.Kernel)
		fails error
	}{
		{"catalog cannot be written",
			func(t *testing.T, p *Pool, k *thintest.Kernel) { breakDisk(t, p) }, nil},
		{"pool that others have changed",
			func(t *testing.T, p *Pool, k *thintest.Kernel) { k.Transaction = 7 },
			fault.ErrPoolState},
		{"failed pool", func(t *testing.T, p *Pool, k *thintest.Kernel) { k.Mode = "Fail" },
			fault.ErrPoolState},
		{"no pool any more", func(t *testing.T, p *Pool, k *thintest.Kernel) { k.Gone = true },
			fault.ErrPoolState},
		{"pool that goes meanwhile", func(t *testing.T, p *Pool, k *thintest.Kernel) {
			k.Before = func(string) { k.Gone = true }
		}, dm.ErrNotExist},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, k, warnings := testPool(t, catalog.KindDevice)
			withVolume(t, p, k, "x", 1, catalog.Intent{Op: catalog.OpDelete, Volume: "x", ID: 1})
			row.spoil(t, p, k)
			err := p.recoverIfPossible(t.Context())
			if !errors.Is(err, row.fails) || (err == nil) != (row.fails == nil) {
				t.Errorf("%v, want %v", err, row.fails)
			}
			if warned := strings.Contains(
				strings.Join(*warnings, "\n"), "has to wait",
			); warned != (row.fails == nil) {
				t.Errorf("%q", *warnings)
			}
		})
	}
}

// If its context has ended, recoverIfPossible returns the error.
func TestRecoverIfPossibleIsInterrupted(t *testing.T) {
	p, k, _ := testPool(t, catalog.KindDevice)
	withVolume(t, p, k, "x", 1, catalog.Intent{Op: catalog.OpDelete, Volume: "x", ID: 1})
	breakDisk(t, p)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.recoverIfPossible(ctx); err == nil {
		t.Error("goes on")
	}
}
