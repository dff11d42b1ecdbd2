package volumes

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/dmname"
	"thinmount/lib/engine"
	"thinmount/lib/thintest"
)

// mkfs may take longer than the deadline. After that writeDevice still waits
// for a process, such as udev, that looks at the new filesystem.
func TestWriteTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, k := testPool(t, catalog.KindFile)
		v := thintest.AddVolume(t, p.Catalog, k, "x", 1)
		f, err := os.Create(filepath.Join(t.TempDir(), "device"))
		if err != nil {
			t.Fatal(err)
		}
		uuid := dmname.VolumeUUID(thintest.UUID, 1)
		k.Open[uuid] = 3
		err = writeDevice(t.Context(), p, &engine.Activation{File: f}, v, func() error {
			time.Sleep(2 * p.Sys.Deadline)
			return nil
		})
		if _, there := k.Open[uuid]; err != nil || there {
			t.Errorf("%v; devices %v", err, k.Open)
		}
	})
}
