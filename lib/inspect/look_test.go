package inspect

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/check"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/label"
	"thinmount/lib/spec"
	"thinmount/lib/thinpool"
	"thinmount/lib/thintest"
)

// TestCover has five devices that share some of the first blocks. It wants no
// more of them chosen than are needed to have all these blocks.
func TestCover(t *testing.T) {
	shared := []thinpool.Mapping{{Virtual: 0, Data: 0}, {Virtual: 1, Data: 1}}
	found := map[spec.ID][]thinpool.Mapping{
		2: shared, 3: shared, 4: {{Virtual: 9, Data: 1}, {Virtual: 10, Data: 2}},
		5: {{Virtual: 0, Data: 3}}, 6: shared[:1],
	}
	if got := cover(found); !slices.Equal(got, []spec.ID{2, 4, 5}) {
		t.Errorf("%v", got)
	}
	if got := cover(nil); got != nil {
		t.Errorf("%v", got)
	}
}

// TestLookMetadataIsInterrupted wants that a look which the user interrupts
// ends with ErrInterrupt, and does not report the metadata as damaged.
func TestLookMetadataIsInterrupted(t *testing.T) {
	f := &check.Facts{Config: catalog.Pool{Name: "demo", UUID: thintest.UUID}}
	f.Config.Metadata.Size = thintest.MiB
	f.Backings = []check.Backing{{
		Backing: f.Config.Metadata, Part: dmname.Meta, Size: 2 * thintest.MiB,
		Label: label.Label{UUID: thintest.UUID, Role: "metadata"},
	}}
	f.Config.Metadata.Path = filepath.Join(t.TempDir(), "metadata")
	if err := os.WriteFile(
		f.Config.Metadata.Path, make([]byte, 2*thintest.MiB), 0o600,
	); err != nil {
		t.Fatal(err)
	}
	if err := lookMetadata(t.Context(), nil, f); err != nil || f.MetaErr == nil {
		t.Fatalf("%v, %v", err, f.MetaErr)
	}
	f.MetaErr = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := lookMetadata(ctx, nil, f); !errors.Is(err, fault.ErrInterrupt) ||
		f.MetaErr != nil {
		t.Errorf("%v, %v", err, f.MetaErr)
	}
}
