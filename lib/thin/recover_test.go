package thin

import (
	"testing"
	"testing/synctest"
	"time"

	"thinmount/lib/catalog"
)

// What is discarded of a volume that somebody else has begun to delete is little,
// and nothing where a delete would discard nothing by itself.
func TestFinishOfTheDeleteOfOthers(t *testing.T) {
	for _, row := range []struct {
		kind   string
		waited time.Duration
	}{{catalog.KindFile, othersWait}, {catalog.KindDevice, 0}} {
		t.Run(row.kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, k, warnings := testPool(t, row.kind)
				withVolume(t, p, k, "x", 1, catalog.Operation{Op: catalog.OpDelete, Volume: "x", ID: 1})
				ctx, cancel := p.sys.waiting(t.Context())
				defer cancel()
				begun := time.Now()
				if err := p.finishLeft(ctx); err != nil || k.told() != "delete 1" {
					t.Errorf("%v; told: %s", err, k.told())
				}
				if waited := time.Since(begun).Round(100 * time.Millisecond); waited != row.waited {
					t.Errorf("took %v, not %v", waited, row.waited)
				}
				if discards := row.kind == catalog.KindFile; (k.makes > 0) != discards || (len(*warnings) > 0) != discards {
					t.Errorf("%d attempts to discard, %q", k.makes, *warnings)
				}
			})
		})
	}
}
