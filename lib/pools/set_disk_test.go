package pools

import (
	"errors"
	"strings"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/thintest"
)

// TestSetDisk wants that placed refuses a path that is not the pool's own disk,
// and that a refused path changes nothing.
func TestSetDisk(t *testing.T) {
	for _, row := range []struct {
		kind, path, want string
		is               error
	}{
		{catalog.KindFile, "/dev/null", "it lies in files", fault.ErrUsage},
		{catalog.KindDevice, "/dev/null", "block device required", fault.ErrUsage},
		{catalog.KindDevice, "/nonexistent/disk", "no such file", nil},
	} {
		p, _ := testPool(t, row.kind)
		before := p.Catalog.Pool().Data.Path
		_, err := placed(p, Settings{Data: row.path})
		if err == nil || !strings.Contains(err.Error(), row.want) ||
			row.is != nil && !errors.Is(err, row.is) {
			t.Errorf("%s: %v", row.path, err)
		}
		if got := thintest.OnDisk(t, p.Sys).Data.Path; got != before {
			t.Errorf("%s: pool.json says %s", row.path, got)
		}
	}
	p, _ := testPool(t, catalog.KindDevice)
	if cfg, err := placed(p, Settings{}); err != nil || cfg.Data != p.Catalog.Pool().Data {
		t.Errorf("nothing to set: %+v, %v", cfg.Data, err)
	}
}
