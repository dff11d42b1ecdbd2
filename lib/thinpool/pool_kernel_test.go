//go:build kernel

package thinpool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
	"thinmount/lib/spec"
)

// The disks of the guest: data and metadata.
const (
	dataDisk = "/dev/vdc"
	metaDisk = "/dev/vdd"
)

func dmsetup(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("dmsetup", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("dmsetup %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// layer makes a device over a whole disk, of a target that takes a device and
// an offset: linear, or flakey with its intervals.
func layer(t *testing.T, c *dm.Control, name, disk, target, more string) dm.Info {
	t.Helper()
	out, err := exec.Command("lsblk", "-bdno", "MAJ:MIN,SIZE", disk).Output()
	f := strings.Fields(string(out))
	if err != nil || len(f) != 2 {
		t.Fatalf("lsblk: %v: %s", err, out)
	}
	size, _ := strconv.ParseUint(f[1], 10, 64)
	table := dm.Target{Length: dm.Sectors(size / dm.SectorSize), Type: target,
		Params: strings.TrimSpace(f[0] + " 0 " + more)}
	return activate(t, c, name, table)
}

func activate(t *testing.T, c *dm.Control, name string, table dm.Target) dm.Info {
	t.Helper()
	info, err := c.Activate(context.Background(), name, "TEST-"+name, []dm.Target{table},
		dm.ActivateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Deactivate(context.Background(), dm.ByName(name)) })
	return info
}

// newPool makes an empty pool of 1 GiB over two layers.
func newPool(t *testing.T) (*dm.Control, *Pool, dm.Info) {
	t.Helper()
	c, err := dm.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	data, meta := layer(t, c, "tp-data", dataDisk, "linear", ""), layer(t, c, "tp-meta", metaDisk,
		"linear", "")
	wipe(t, c.NodePath("tp-meta"))
	table := Table{Metadata: meta.Dev, Data: data.Dev, Size: 2 << 20, BlockSize: 128, LowWater: 10,
		OnFull: spec.OnFullError}
	info := activate(t, c, "tp-pool", table.Target())
	return c, New(c, "TEST-tp-pool"), info
}

func wipe(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|unix.O_SYNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestKernelMessages(t *testing.T) {
	c, p, info := newPool(t)
	must(t, p.CreateThin(1))
	must(t, p.CreateSnapshot(2, 1))
	must(t, p.SetTransactionID(0, 7))
	must(t, p.Confirm())
	for name, row := range map[string]struct{ got, want error }{
		"id exists":         {p.CreateThin(1), ErrIDExists},
		"snapshot's exists": {p.CreateSnapshot(2, 1), ErrIDExists},
		"no origin":         {p.CreateSnapshot(3, 99), ErrNoSuchID},
		"delete of none":    {p.Delete(99), ErrNoSuchID},
		"transaction id":    {p.SetTransactionID(0, 8), ErrTransaction},
	} {
		if !errors.Is(row.got, row.want) {
			t.Errorf("%s: %v, want %v", name, row.got, row.want)
		}
	}
	activate(t, c, "tp-thin", Thin{Pool: info.Dev, ID: 1, Size: 1 << 16}.Target())
	if err := p.Delete(1); !errors.Is(err, ErrIDInUse) || !errors.Is(err, unix.EBUSY) {
		t.Errorf("delete of an active one: %v", err)
	}
	st, err := p.Status()
	if err != nil || st.Mode != ModeRW || st.TransactionID != 7 || st.OnFull != spec.OnFullError ||
		st.DataTotal != 16384 {
		t.Errorf("%+v, %v", st, err)
	}
	if got, want := dmsetup(t, "status", "tp-pool"), fmt.Sprintf("7 %d/%d %d/%d", st.MetaUsed,
		st.MetaTotal, st.DataUsed, st.DataTotal); !strings.Contains(got, want) {
		t.Errorf("dmsetup says %q, want %q in it", got, want)
	}
	targets, _, err := c.Table(dm.ByName("tp-pool"))
	must(t, err)
	if table, err := ParseTable(targets[0]); err != nil || table.OnFull != spec.OnFullError ||
		table.BlockSize != 128 || table.LowWater != 10 {
		t.Errorf("%+v, %v", table, err)
	}
}

// What the metadata says, read by us beside the live pool and by thin_dump of
// the deactivated one, is the same.
func TestKernelMetadataAsThinDumpHasIt(t *testing.T) {
	c, p, info := newPool(t)
	for id := range spec.ID(40) {
		must(t, p.CreateThin(id*100))
	}
	activate(t, c, "tp-thin", Thin{Pool: info.Dev, ID: 300, Size: 1 << 16}.Target())
	f, err := os.OpenFile(c.NodePath("tp-thin"), os.O_WRONLY|unix.O_SYNC, 0)
	must(t, err)
	for i := range int64(5) {
		_, err = f.WriteAt([]byte("block"), i<<16)
		must(t, err)
	}
	must(t, f.Close())
	must(t, c.Deactivate(context.Background(), dm.ByName("tp-thin")))
	must(t, p.CreateSnapshot(5, 300))
	must(t, p.SetTransactionID(0, 3))
	live := devices(t, c.NodePath("tp-meta"))
	must(t, c.Deactivate(context.Background(), dm.ByName("tp-pool")))

	dump, err := exec.Command("thin_dump", c.NodePath("tp-meta")).Output()
	must(t, err)
	found := regexp.MustCompile(`dev_id="(\d+)" mapped_blocks="(\d+)"`).FindAllStringSubmatch(
		string(dump), -1)
	if len(found) != 41 || len(live) != 41 {
		t.Errorf("thin_dump has %d devices, we have %d, want 41", len(found), len(live))
	}
	for _, m := range found {
		id, _ := strconv.Atoi(m[1])
		if got := fmt.Sprint(live[spec.ID(id)].Mapped); got != m[2] {
			t.Errorf("device %d: %s blocks, thin_dump says %s", id, got, m[2])
		}
	}
	meta, err := os.Open(c.NodePath("tp-meta"))
	must(t, err)
	defer meta.Close()
	sb, err := ReadSuperblock(meta)
	must(t, err)
	// Newer ones leave out flags="0".
	for _, want := range []string{
		fmt.Sprintf(`transaction="%d"`, sb.TransactionID), fmt.Sprintf(`version="%d"`, sb.Version),
		fmt.Sprintf(`data_block_size="%d"`, sb.BlockSize),
		fmt.Sprintf(`nr_data_blocks="%d"`, sb.DataBlocks),
	} {
		if head, _, _ := strings.Cut(string(dump), "\n"); !strings.Contains(head, " "+want) {
			t.Errorf("%+v; thin_dump says %s", sb, head)
		}
	}
}

// copyOf copies the live metadata past the page cache to a file.
func copyOf(t *testing.T, path string) (copied string) {
	t.Helper()
	copied = filepath.Join(t.TempDir(), "metadata")
	out, err := exec.Command("dd", "if="+path, "of="+copied, "bs=1M", "count=64",
		"iflag=direct").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return copied
}

// devices reads the live metadata.
func devices(t *testing.T, path string) map[spec.ID]Details {
	t.Helper()
	f, err := os.Open(copyOf(t, path))
	must(t, err)
	defer f.Close()
	found, err := ReadDevices(f, 0)
	must(t, err)
	return found
}

// The kernel answers a message before it has committed: on a metadata disk that
// fails, create_thin succeeds, and only the pool's mode tells.
func TestKernelCommitThatFails(t *testing.T) {
	c, p, _ := newPool(t)
	must(t, p.CreateThin(1))
	must(t, p.Confirm())
	out, err := exec.Command("lsblk", "-bdno", "MAJ:MIN,SIZE", metaDisk).Output()
	must(t, err)
	disk := strings.Fields(string(out))
	size, _ := strconv.ParseUint(disk[1], 10, 64)
	flaky := dm.Target{Length: dm.Sectors(size / dm.SectorSize), Type: "flakey",
		Params: disk[0] + " 0 0 60 1 error_writes"}
	if _, err := c.TargetVersion("flakey"); err != nil {
		t.Fatal(err)
	}
	reload := func(table dm.Target) {
		must(t, c.Load(dm.ByName("tp-meta"), []dm.Target{table}, false))
		dmsetup(t, "suspend", "--nolockfs", "tp-meta")
		_, err := c.Resume(dm.ByName("tp-meta"), 0)
		must(t, err)
	}
	reload(flaky)
	if err := p.CreateThin(2); err != nil {
		t.Errorf("this kernel tells: %v", err)
	}
	if err := p.Confirm(); !errors.Is(err, ErrNotCommitted) || !errors.Is(err, ErrMode) {
		t.Errorf("confirmed: %v", err)
	}
	if err := p.CreateThin(3); !errors.Is(err, ErrReadOnly) {
		t.Errorf("message to a read-only pool: %v", err)
	}
	reload(dm.Target{Length: flaky.Length, Type: "linear", Params: disk[0] + " 0"})
	must(t, c.Deactivate(context.Background(), dm.ByName("tp-pool")))
	wipe(t, c.NodePath("tp-meta"))
}
