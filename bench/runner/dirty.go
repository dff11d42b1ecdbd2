package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"thinmount/bench/sample"
)

// writer writes and syncs until it is told to end, and prints the longest time
// (microseconds) between two completed syncs. It prints a line when it has
// begun.
func writer(name string) {
	var stop atomic.Bool
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	go func() { <-told; stop.Store(true) }()

	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		fmt.Fprintf(os.Stderr, "writer: %v\n", err)
		os.Exit(1)
	}
	block := make([]byte, 4096)
	var last time.Time
	var longest time.Duration
	for n := 0; !stop.Load(); n++ {
		if n == 5 {
			fmt.Println("writing")
			longest, last = 0, time.Now()
		}
		if _, err := f.WriteAt(block, int64(n%256)*4096); err != nil {
			fmt.Fprintf(os.Stderr, "writer: %v\n", err)
			os.Exit(1)
		}
		if err := f.Sync(); err != nil {
			fmt.Fprintf(os.Stderr, "writer: %v\n", err)
			os.Exit(1)
		}
		now := time.Now()
		longest, last = max(longest, now.Sub(last)), now
	}
	fmt.Println(longest.Microseconds())
}

// origin is a mounted origin, and how a snapshot of it is made and removed.
type origin struct {
	who      string
	dir      string
	snapshot command
	remove   command
}

// dirty measures a snapshot of a mounted origin, while one process writes and
// syncs there, and much else is not yet written.
func (b *bench) dirty() {
	var origins []origin
	if b.disks["ours"] != "" {
		dir := b.folder("dirty-ours")
		must("mount", "-t", "thin", oursPool+"/base", dir)
		defer must("umount", dir)
		w := b.ours()
		origins = append(origins, origin{sample.Ours, dir, w.snapshot(2), w.remove(2)})
	}
	if b.disks["floor"] != "" {
		dir := b.folder("dirty-script")
		must("dmsetup", "create", "bench-origin", "--table",
			fmt.Sprintf("0 %d thin /dev/mapper/%s 0", volumeSectors, floorPool))
		defer must("dmsetup", "remove", "--retry", "bench-origin")
		must("mount", "/dev/mapper/bench-origin", dir)
		defer must("umount", dir)
		origins = append(origins, origin{sample.Script, dir, sh(`dmsetup suspend bench-origin
dmsetup message "$1" 0 "create_snap 2 0"
dmsetup resume bench-origin`, floorPool), message("delete 2")})
	}
	if b.disks["lvm"] != "" {
		dir := b.folder("dirty-lvm")
		must("lvchange", "-q", "-ay", "-K", group+"/base")
		defer must("lvchange", "-q", "-an", group+"/base")
		must("mount", "/dev/"+group+"/base", dir)
		defer must("umount", dir)
		w := b.lvm()
		origins = append(origins, origin{sample.LVM, dir, w.snapshot(2), w.remove(2)})
	}
	for round := range b.rounds {
		for _, o := range turns(origins, round) {
			b.candidate(o.who, func() { b.dirtySnapshot(o, round) })
		}
	}
}

// dirtySnapshot makes one, with and without a writer: the writer's longest
// stall is set beside that without a snapshot.
func (b *bench) dirtySnapshot(o origin, round int) {
	b.makeDirty(o.dir)
	b.measure(sample.Key{Work: "snapshot, origin dirty", Who: o.who}, round, o.snapshot)
	must(o.remove...)

	b.makeDirty(o.dir)
	stall := b.whileWriting(o.dir, func() { must(o.snapshot...) })
	b.emit(sample.Sample{Key: sample.Key{Work: "stall", Who: o.who}, Round: round, Wall: stall})
	must(o.remove...)

	b.makeDirty(o.dir)
	stall = b.whileWriting(o.dir, func() { time.Sleep(300 * time.Millisecond) })
	b.emit(sample.Sample{Key: sample.Key{Work: "stall", Param: "no snapshot", Who: o.who},
		Round: round, Wall: stall})
}

// makeDirty writes 4 MiB that are not synced.
func (b *bench) makeDirty(dir string) {
	check(os.WriteFile(filepath.Join(dir, "dirty"), make([]byte, 4<<20), 0o644))
}

// whileWriting does something while a process writes, and returns that one's
// longest stall.
func (b *bench) whileWriting(dir string, do func()) time.Duration {
	self, err := os.Executable()
	check(err)
	cmd := exec.Command(self, "writer", filepath.Join(dir, "written"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	check(err)
	check(cmd.Start())
	lines := bufio.NewReader(out)
	_, err = lines.ReadString('\n')
	check(err)
	do()
	check(cmd.Process.Signal(syscall.SIGTERM))
	rest, err := io.ReadAll(lines)
	check(err)
	check(cmd.Wait())
	us, err := strconv.ParseInt(strings.TrimSpace(string(rest)), 10, 64)
	check(err)
	return time.Duration(us) * time.Microsecond
}
