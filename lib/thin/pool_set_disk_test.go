package thin

import (
	"errors"
	"strings"
	"testing"

	"thinmount/lib/catalog"
)

// TestSetDisk takes the pool's own disk by any name, and no other thing.
func TestSetDisk(t *testing.T) {
	for _, row := range []struct {
		kind, path, want string
		is               error
	}{
		{catalog.KindFile, "/dev/null", "it lies in files", ErrUsage},
		{catalog.KindDevice, "/dev/null", "block device required", ErrUsage},
		{catalog.KindDevice, "/nonexistent/disk", "no such file", nil},
	} {
		p, _, _ := testPool(t, row.kind)
		before := p.cat.Pool().Data.Path
		_, err := p.placed(Settings{Data: row.path})
		if err == nil || !strings.Contains(err.Error(), row.want) || row.is != nil && !errors.Is(err, row.is) {
			t.Errorf("%s: %v", row.path, err)
		}
		if got := onDisk(t, p).Data.Path; got != before {
			t.Errorf("%s: pool.json says %s", row.path, got)
		}
	}
	p, _, _ := testPool(t, catalog.KindDevice)
	if cfg, err := p.placed(Settings{}); err != nil || cfg.Data != p.cat.Pool().Data {
		t.Errorf("nothing to set: %+v, %v", cfg.Data, err)
	}
}
