package catalog

import (
	"testing"

	"thinmount/lib/spec"
)

func TestUnusedID(t *testing.T) {
	head := spec.ID(1)
	cfg := Pool{Head: &head, Intents: []Intent{{Op: OpDelete, ID: 3}}}
	volumes := []Volume{{ID: 2}, {ID: 5}}
	for tried, want := range map[spec.ID]spec.ID{
		0: 4, 3: 4, 4: 6, spec.MaxID: 4, spec.MaxID - 2: spec.MaxID - 1,
	} {
		if id, ok := cfg.UnusedID(volumes, tried); !ok || id != want {
			t.Errorf("behind %d: %d, %v, want %d", tried, id, ok, want)
		}
	}
	if id, ok := cfg.UnusedID(volumes, spec.MaxID-1); ok {
		t.Errorf("behind all: %d", id)
	}
}
