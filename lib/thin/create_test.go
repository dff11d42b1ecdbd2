package thin

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"thinmount/lib/catalog"
)

// A mkfs that takes longer than any wait may leaves time for whoever, like udev,
// looks at what it has made.
func TestWriteTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, k, _ := testPool(t, catalog.KindFile)
		v := withVolume(t, p, k, "x", 1)
		f, err := os.Create(filepath.Join(t.TempDir(), "device"))
		if err != nil {
			t.Fatal(err)
		}
		uuid := volumeUUID(testUUID, 1)
		k.open[uuid] = 3
		err = p.write(t.Context(), &activation{File: f}, v, func() error {
			time.Sleep(2 * p.sys.Deadline)
			return nil
		})
		if _, there := k.open[uuid]; err != nil || there {
			t.Errorf("%v; devices %v", err, k.open)
		}
	})
}
