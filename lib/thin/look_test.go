package thin

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// An interrupted look is no finding about the metadata.
func TestLookMetadataIsInterrupted(t *testing.T) {
	f := soundFacts()
	f.devices = nil
	f.cfg.Metadata.Path = filepath.Join(t.TempDir(), "metadata")
	if err := os.WriteFile(f.cfg.Metadata.Path, make([]byte, 2*mib), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (&System{}).lookMetadata(t.Context(), nil, f); err != nil || f.metaErr == nil {
		t.Fatalf("%v, %v", err, f.metaErr)
	}
	f.metaErr = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (&System{}).lookMetadata(ctx, nil, f); !errors.Is(err, ErrInterrupt) || f.metaErr != nil {
		t.Errorf("%v, %v", err, f.metaErr)
	}
}
