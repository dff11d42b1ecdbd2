package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"thinmount/lib/catalog"
	"thinmount/lib/dmname"
	"thinmount/lib/thintest"
)

// A record that cannot be read does not keep a command from finishing an intent
// of another volume. Recovery reads no record unless it has an intent to
// finish.
func TestDamagedRecordKeepsItsNameAlone(t *testing.T) {
	for _, locked := range []bool{false, true} {
		p, k, _ := testPool(t, catalog.KindDevice)
		withVolume(t, p, k, "x", 1, catalog.Intent{Op: catalog.OpFormat, Volume: "x", ID: 1})
		if err := os.WriteFile(
			filepath.Join(p.Catalog.Dir(), "volumes", "bad.json"), nil, 0o600,
		); err != nil {
			t.Fatal(err)
		}
		told := "delete 1"
		if locked {
			ref, err := p.Sys.Refs().TryLock(thintest.Named("demo/x"))
			if err != nil {
				t.Fatal(err)
			}
			defer ref.Close()
			told = ""
		}
		if _, err := p.replayIntent(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := p.finishDeadCommands(t.Context(), true); err != nil || k.Told() != told {
			t.Errorf("%v; told: %s", err, k.Told())
		}
	}
}

// If an intent names the id of another volume, recovery leaves it alone and
// finishes the other intents.
func TestOperationWithAnIDOfAnother(t *testing.T) {
	p, k, warnings := testPool(t, catalog.KindDevice)
	withVolume(t, p, k, "a", 1)
	withVolume(t, p, k, "x", 2, catalog.Intent{Op: catalog.OpDelete, Volume: "wrong", ID: 1},
		catalog.Intent{Op: catalog.OpDelete, Volume: "x", ID: 2})
	if _, err := p.finishDeadCommands(t.Context(), true); err != nil || k.Told() != "delete 2" ||
		!k.IDs[1] {
		t.Errorf("%v; told: %s", err, k.Told())
	}
	if w := strings.Join(*warnings, "\n"); !strings.Contains(w, "id 1 is volume a's") ||
		!strings.Contains(w, "has to wait") {
		t.Errorf("%q", w)
	}
}

// If the volume's device is open, recovery leaves its intent to a later command
// and does not wait.
func TestLeftDeviceThatIsOpen(t *testing.T) {
	p, k, warnings := testPool(t, catalog.KindDevice)
	withVolume(t, p, k, "x", 1, catalog.Intent{Op: catalog.OpFormat, Volume: "x", ID: 1})
	k.Open[dmname.VolumeUUID(thintest.UUID, 1)] = 1 << 20
	_, err := p.finishDeadCommands(t.Context(), true)
	if err != nil || k.Told() != "" || !k.IDs[1] {
		t.Errorf("%v; told: %s", err, k.Told())
	}
	if w := strings.Join(*warnings, "\n"); !strings.Contains(w, "has to wait") {
		t.Errorf("%q", w)
	}
}
