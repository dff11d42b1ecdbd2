//go:build kernel

package dm

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// dmsetup is the oracle: what it prints, trimmed.
func dmsetup(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("dmsetup", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("dmsetup %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func open(t *testing.T) *Control {
	t.Helper()
	c, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// device activates one that goes with the test.
func device(t *testing.T, c *Control, name, uuid string, targets ...Target) Info {
	t.Helper()
	info, err := c.Activate(context.Background(), name, uuid, targets, ActivateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Deactivate(context.Background(), ByUUID(uuid)); err != nil {
			t.Error(err)
		}
	})
	return info
}

func TestKernelTablesAsDmsetupHasThem(t *testing.T) {
	c := open(t)
	targets := []Target{{0, 2048, "linear", "254:32 8"}, {2048, 8, "zero", ""},
		{2056, 8, "error", ""}}
	disk, err := exec.Command("lsblk", "-dno", "MAJ:MIN", "/dev/vdc").Output()
	if err != nil {
		t.Fatal(err)
	}
	targets[0].Params = strings.TrimSpace(string(disk)) + " 8"
	info := device(t, c, "t-table", "TEST-table", targets...)

	got, _, err := c.Table(ByName("t-table"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, target := range got {
		lines = append(lines, target.String())
	}
	if want := dmsetup(t, "table", "t-table"); strings.Join(lines, "\n") != strings.ReplaceAll(want,
		" \n", "\n") {
		t.Errorf("table %q, dmsetup says %q", lines, want)
	}
	want := dmsetup(t, "info", "-c", "--noheadings", "--separator", " ", "-o",
		"name,uuid,major,minor,open,segments", "t-table")
	if got := fmt.Sprintf("%s %s %d %d %d %d", info.Name, info.UUID, info.Dev.Major, info.Dev.Minor,
		info.OpenCount, len(targets)); got != want {
		t.Errorf("info %q, dmsetup says %q", got, want)
	}
	status, _, err := c.Status(ByName("t-table"), StatusNoFlush)
	if err != nil || len(status) != 3 || status[1].Type != "zero" {
		t.Errorf("status %v, %v", status, err)
	}
}

// More devices than one buffer holds.
func TestKernelListOfMany(t *testing.T) {
	c := open(t)
	for n := range 300 {
		name := fmt.Sprintf("t-many-%0100d", n)
		if _, err := c.Create(name, "TEST-many-"+fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Remove(ByName(name), false, 0) })
	}
	all, err := c.List("TEST-many-")
	if err != nil || len(all) != 300 {
		t.Fatalf("%d devices, %v", len(all), err)
	}
	listed := dmsetup(t, "ls")
	for _, d := range all {
		if !strings.Contains(listed, d.Name+"\t("+d.Dev.String()+")") {
			t.Errorf("%+v is not in dmsetup ls", d)
		}
	}
	if none, err := c.List("TEST-nobody-"); err != nil || len(none) != 0 {
		t.Errorf("%v, %v", none, err)
	}
}

func TestKernelTargets(t *testing.T) {
	c := open(t)
	for _, name := range []string{"linear", "thin-pool", "thin"} {
		v, err := c.TargetVersion(name)
		if want := fmt.Sprintf("v%d.%d.%d", v.Major, v.Minor, v.Patch); err != nil ||
			!strings.Contains(dmsetup(t, "targets"), want) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
	if _, err := c.TargetVersion("nosuch"); !errors.Is(err, ErrNoTarget) {
		t.Error(err)
	}
	all, err := c.targetVersions()
	if err != nil ||
		!slices.ContainsFunc(all, func(v TargetVersion) bool { return v.Name == "linear" }) {
		t.Errorf("%v, %v", all, err)
	}
}

func TestKernelNamesAndUUIDs(t *testing.T) {
	c := open(t)
	device(t, c, "t-one", "TEST-one", zeroTable...)
	if _, err := c.Create("t-one", "TEST-two"); !errors.Is(err, ErrExist) {
		t.Errorf("same name: %v", err)
	}
	if _, err := c.Create("t-two", "TEST-one"); !errors.Is(err, ErrExist) {
		t.Errorf("same uuid: %v", err)
	}
	if _, err := c.Create(strings.Repeat("n", 128), ""); !errors.Is(err, ErrName) {
		t.Errorf("128 bytes: %v", err)
	}
	if info, err := c.Info(ByUUID("TEST-one")); err != nil || info.Name != "t-one" {
		t.Errorf("%+v, %v", info, err)
	}
	if _, err := c.Create("t-bare", ""); err != nil {
		t.Fatal(err)
	}
	defer c.Remove(ByName("t-bare"), false, 0)
	if info, err := c.Info(ByName("t-bare")); err != nil || info.UUID != "" {
		t.Errorf("%+v, %v", info, err)
	}
	if _, err := c.Info(ByName("t-nobody")); !errors.Is(err, ErrNotExist) {
		t.Error(err)
	}
}

func TestKernelSuspendResumeLoadClear(t *testing.T) {
	c := open(t)
	device(t, c, "t-sus", "TEST-sus", zeroTable...)
	r := ByName("t-sus")
	if err := c.Suspend(r); err != nil {
		t.Fatal(err)
	}
	if got := dmsetup(t, "info", "-c", "--noheadings", "-o", "suspended",
		"t-sus"); got != "Suspended" {
		t.Errorf("dmsetup says %s", got)
	}
	if err := c.Load(r, []Target{{0, 16, "error", ""}}, false); err != nil {
		t.Fatal(err)
	}
	if info, _ := c.Info(r); !info.hasInactive() || !info.Suspended() {
		t.Errorf("%+v", info)
	}
	dmsetup(t, "clear", "t-sus")
	if info, err := c.Resume(r, 0); err != nil || info.Suspended() || info.hasInactive() {
		t.Errorf("%+v, %v", info, err)
	}
	if got := dmsetup(t, "table", "t-sus"); got != "0 8 zero" {
		t.Errorf("dmsetup says %s", got)
	}
	if _, err := c.Message(r, 0, "nonsense"); !errors.Is(err, unix.EINVAL) {
		t.Errorf("message: %v", err)
	}
}

// An open device is removed at its last close, if the removal is deferred, and
// its node with it.
func TestKernelDeferredRemoval(t *testing.T) {
	c := open(t)
	if _, err := c.Activate(context.Background(), "t-def", "TEST-def", zeroTable,
		ActivateOptions{}); err != nil {
		t.Fatal(err)
	}
	r, path := ByUUID("TEST-def"), c.NodePath("t-def")
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.Deactivate(ctx, r); !errors.Is(err, ErrBusy) {
		t.Errorf("open: %v", err)
	}
	if err := c.RemoveDeferred(r); err != nil {
		t.Fatal(err)
	}
	if info, err := c.Info(r); err != nil || !info.DeferredRemove() || info.OpenCount != 1 {
		t.Errorf("%+v, %v", info, err)
	}
	if err := c.CancelDeferredRemove(r); err != nil {
		t.Error(err)
	}
	if info, _ := c.Info(r); info.DeferredRemove() {
		t.Error("still to be removed")
	}
	if err := c.RemoveDeferred(r); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitGone(ctx, r, "t-def"); !errors.Is(err, ErrBusy) {
		t.Errorf("waiting for an open device: %v", err)
	}
	unix.Close(fd)
	if err := c.WaitGone(context.Background(), r, "t-def"); err != nil {
		t.Error(err)
	}
	if lies(path) {
		t.Errorf("%s is left", path)
	}
	if err := c.RemoveDeferred(r); err != nil {
		t.Errorf("gone already: %v", err)
	}
}

// A udev that is late makes the node in the same moment.
func TestKernelNodeMadeByTwo(t *testing.T) {
	n := open(t).nodes
	info := device(t, open(t), "t-node", "TEST-node", Target{0, 8, "error", ""})
	for range 200 {
		if err := n.remove("t-node"); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if err := n.make("t-node", info.Dev); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if path := filepath.Join(n.dir, "t-node"); !nodeIs(path, info.Dev) {
			t.Fatal(path + " leads elsewhere")
		}
	}
}

func TestKernelStaleNodes(t *testing.T) {
	c := open(t)
	device(t, c, "t-node-a", "TEST-node-a", zeroTable...)
	if err := unix.Symlink("../dm-99", c.NodePath("t-node-b")); err != nil {
		t.Fatal(err)
	}
	stale, err := c.StaleNodes("t-node-")
	if err != nil || !slices.Equal(stale, []string{"t-node-b"}) {
		t.Errorf("%v, %v", stale, err)
	}
	for _, name := range []string{"t-node-a", "t-node-b"} {
		if err := c.DropStaleNode(name); err != nil {
			t.Error(err)
		}
		if lies(c.NodePath(name)) != (name == "t-node-a") {
			t.Errorf("%s: is there: %v", name, lies(c.NodePath(name)))
		}
	}
}

func TestKernelReadOnly(t *testing.T) {
	c := open(t)
	if _, err := c.Activate(context.Background(), "t-ro", "TEST-ro", zeroTable,
		ActivateOptions{ReadOnly: true}); err != nil {
		t.Fatal(err)
	}
	defer c.Deactivate(context.Background(), ByName("t-ro"))
	if info, err := c.Info(ByName("t-ro")); err != nil || info.Flags&unix.DM_READONLY_FLAG == 0 {
		t.Errorf("%+v, %v", info, err)
	}
}
