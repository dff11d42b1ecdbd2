package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// treeFiles is how many files each folder has of the tree that each origin
// holds: a copy by reflinks takes time for each file.
const treeFiles = 50

// fill writes the tree into a filesystem.
func (b *bench) fill(dir string) {
	block := make([]byte, 4096)
	for i := range b.folders {
		folder := filepath.Join(dir, fmt.Sprintf("d%d", i))
		check(os.MkdirAll(folder, 0o755))
		for j := range treeFiles {
			block[0] = byte(j)
			check(os.WriteFile(filepath.Join(folder, fmt.Sprintf("f%d", j)), block, 0o644))
		}
	}
}

// later does something at the end of the run.
func (b *bench) later(f func()) { b.undo = append(b.undo, f) }

// udev tells whether udevd runs.
func udev() bool {
	_, err := os.Stat("/run/udev/control")
	return err == nil
}

func (b *bench) setup() {
	check(os.MkdirAll(b.dir, 0o755))
	if !udev() {
		check(os.Setenv("DM_DISABLE_UDEV", "1")) // dmsetup makes the nodes itself
	}
	b.facts()
	for _, part := range []struct {
		disk  string
		setUp func(device string)
	}{
		{"ours", b.setUpOurs}, {"floor", b.setUpFloor}, {"lvm", b.setUpLVM},
		{"btrfs", b.setUpBtrfs}, {"xfs", b.setUpXFS}, {"ext4", b.setUpExt4},
	} {
		if device := b.disks[part.disk]; device != "" {
			say("setting up %s on %s", part.disk, device)
			if !b.attempt("set up "+part.disk, func(*bench) { part.setUp(device) }) {
				delete(b.disks, part.disk)
			}
		}
	}
}

// facts says what the numbers were measured with.
func (b *bench) facts() {
	fact := func(format string, args ...any) {
		fmt.Fprintln(b.out, b.mark+"# "+fmt.Sprintf(format,
			args...))
	}
	fact("system: %s, Linux %s", release(), strings.TrimSpace(must("uname", "-r")))
	fact("processors: %d", runtime.NumCPU())
	for _, argv := range [][]string{{"mount", "--version"}, {"thin-snap", "--version"}, {"btrfs",
		"--version"}} {
		fact("%s", strings.SplitN(must(argv...), "\n", 2)[0])
	}
	if udev() {
		fact("udevd runs")
	} else {
		fact("no udevd")
	}
}

func release() string {
	text, _ := os.ReadFile("/etc/os-release")
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
			return strings.Trim(strings.TrimSpace(name), `"`)
		}
	}
	return "unknown"
}

// filled mounts what mount(8) finds by these arguments, fills its filesystem,
// and unmounts it.
func (b *bench) filled(what ...string) {
	dir := b.folder("fill")
	must(append(append([]string{"mount"}, what...), dir)...)
	b.fill(dir)
	must("umount", dir)
}

func (b *bench) setUpOurs(data string) {
	must("thin-snap", "pool", "create", "-f", "--data", data, "--metadata", b.disks["ours-meta"],
		oursPool)
	b.later(func() { must("thin-snap", "pool", "delete", "-r", "-y", oursPool) })
	must("thin-snap", "create", "--size", volumeSize, "--fs", "ext4", oursPool+"/base")
	b.filled("-t", "thin", oursPool+"/base")
}

func (b *bench) setUpFloor(data string) {
	meta := b.disks["floor-meta"]
	sectors := strings.TrimSpace(must("blockdev", "--getsz", data))
	must("dd", "if=/dev/zero", "of="+meta, "bs=4096", "count=1", "status=none")
	must("dmsetup", "create", floorPool, "--table",
		fmt.Sprintf("0 %s thin-pool %s %s 128 0 1 error_if_no_space", sectors, meta, data))
	b.later(func() { must("dmsetup", "remove", "--retry", floorPool) })
	must(message("create_thin 0")...)
	must("dmsetup", "create", "bench-base", "--table",
		fmt.Sprintf("0 %d thin /dev/mapper/%s 0", volumeSectors, floorPool))
	defer must("dmsetup", "remove", "--retry", "bench-base")
	must("mkfs.ext4", "-q", "/dev/mapper/bench-base")
	b.filled("/dev/mapper/bench-base")
}

// lvmConf keeps LVM to its disk. It has LVM ask no udev where none runs.
const lvmConf = `
activation { %s monitoring = 0 }
devices { %s use_devicesfile = 0 global_filter = [ "a|^%s$|", "r|.*|" ] }
`

func (b *bench) setUpLVM(disk string) {
	activation, devices := "udev_sync = 0 udev_rules = 0",
		`obtain_device_list_from_udev = 0 external_device_info_source = "none"`
	if udev() {
		activation, devices = "", ""
	}
	conf := b.folder("lvm")
	check(os.WriteFile(filepath.Join(conf, "lvm.conf"), fmt.Appendf(nil, lvmConf, activation,
		devices, disk), 0o644))
	check(os.Setenv("LVM_SYSTEM_DIR", conf))
	check(os.Setenv("LVM_SUPPRESS_FD_WARNINGS", "1"))
	must("vgcreate", "-q", group, disk)
	b.later(func() { must("vgremove", "-q", "-f", "-y", group) })
	must("lvcreate", "-q", "--type", "thin-pool", "-l", "60%VG", "--poolmetadatasize", "128M", "-n",
		"pool", group)
	must("lvcreate", "-q", "-V", volumeSize, "-T", group+"/pool", "-n", "base")
	must("mkfs.ext4", "-q", "/dev/"+group+"/base")
	b.filled("/dev/" + group + "/base")
	must("lvchange", "-q", "-an", group+"/base")
	// A pool none of whose volumes is active goes, and has to be activated for
	// each snapshot: one stays.
	must("lvcreate", "-q", "-V", "64M", "-T", group+"/pool", "-n", "keep")
}

// setUpFS makes a filesystem on a disk and mounts it.
func (b *bench) setUpFS(name, disk string, mkfs ...string) string {
	must(append(mkfs, disk)...)
	dir := b.folder(name)
	must("mount", disk, dir)
	b.later(func() { must("umount", dir) })
	return dir
}

func (b *bench) setUpBtrfs(disk string) {
	dir := b.setUpFS("btrfs", disk, "mkfs.btrfs", "-q", "-f")
	must("btrfs", "subvolume", "create", dir+"/base")
	b.fill(dir + "/base")
	must("sync", "-f", dir)
}

func (b *bench) setUpXFS(disk string) {
	dir := b.setUpFS("xfs", disk, "mkfs.xfs", "-q", "-f", "-m", "reflink=1")
	b.fill(dir + "/base")
	must("sync", "-f", dir)
}

func (b *bench) setUpExt4(disk string) {
	dir := b.setUpFS("ext4", disk, "mkfs.ext4", "-q", "-F")
	b.fill(dir + "/base")
	must("sync", "-f", dir)
}
