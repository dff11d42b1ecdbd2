package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/bench/sample"
	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/dmname"
)

// grown measures one command in pools with few and with many volumes, and then
// with many of these mounted.
func (b *bench) grown() {
	pools := map[int]string{}
	for i, n := range b.many {
		data, meta := b.disks[fmt.Sprintf("many%d", i)], b.disks[fmt.Sprintf("many%d-meta", i)]
		if data == "" || meta == "" {
			say("%d volumes: no disk", n)
			continue
		}
		pool := fmt.Sprintf("many%d", n)
		start := time.Now()
		b.manyVolumes(pool, data, meta, n)
		say("%d volumes made in %.0f s", n, time.Since(start).Seconds())
		pools[n] = pool
	}
	for round := range min(b.rounds, 10) {
		for _, n := range turns(b.many, round) {
			if pools[n] != "" {
				b.oneOfMany(pools[n], n, round)
			}
		}
	}
	for _, n := range b.many {
		if _, err := lookUp("bench-peak"); pools[n] != "" && err == nil {
			b.peak(sample.List, strconv.Itoa(n), 0, command{"thin-snap", "list", pools[n]})
		}
	}
	if most := b.many[len(b.many)-1]; pools[most] != "" && most > b.mounts {
		b.manyMounts(pools[most])
	}
}

// manyVolumes makes a pool with n volumes: snapshots of one with a filesystem.
// The kernel gets its messages and the catalog its records, without the
// commands around them. The records are written where a sync costs nothing, and
// copied.
func (b *bench) manyVolumes(pool, data, meta string, n int) {
	must("thin-snap", "pool", "create", "-f", "--data", data, "--metadata", meta, pool)
	b.later(func() { must("thin-snap", "pool", "delete", "-r", "-y", pool) })
	must("thin-snap", "create", "--size", "64M", "--fs", "ext4", pool+"/base")

	store := catalog.Store{Dir: "/var/lib/thin"}
	quick := catalog.Store{Dir: b.folder("records")}
	check(os.Chmod(quick.Dir, 0o700))
	must("mount", "-t", "tmpfs", "-o", "mode=700", "records", quick.Dir)
	defer must("umount", quick.Dir)
	for _, name := range []string{"pool.json", "journal", "volumes"} {
		check(os.MkdirAll(filepath.Join(quick.Dir, pool), 0o700))
		must("cp", "-a", filepath.Join(store.Dir, pool, name), filepath.Join(quick.Dir, pool, name))
	}
	c, err := quick.Open(pool)
	check(err)
	base, err := c.Volume("base")
	check(err)
	id := c.Pool().NextID
	control, err := dm.Open()
	check(err)
	defer control.Close()
	for i := range n - 1 {
		v := base
		v.Name, v.ID = volume(i), id
		v.Origin, v.OriginID, v.Created = "base", base.ID, time.Now()
		v.TransactionID = c.Pool().TransactionID
		_, err := control.Message(dm.ByName(dmname.Part(pool, dmname.Pool)), 0,
			fmt.Sprintf("create_snap %d %d", v.ID, base.ID))
		check(err)
		check(c.PutVolume(v))
		id++
	}
	check(c.SetPool(func(p *catalog.Pool) { p.NextID = id }))
	// Not pool.json, which has a spare that is its double.
	must("cp", "-a", filepath.Join(quick.Dir, pool, "volumes"),
		filepath.Join(quick.Dir, pool, "journal"), filepath.Join(store.Dir, pool))
	must("sync")
}

func volume(i int) string { return fmt.Sprintf("v%06d", i) }

// fewRounds is how often a command is measured that looks at all volumes: of
// many it takes long.
var fewRounds = map[string]int{"list": 3, "pool check": 1}

// oneOfMany measures what is done to one volume of many.
func (b *bench) oneOfMany(pool string, n, round int) {
	dir := b.folder("many")
	made, copied := pool+"/made", pool+"/copied"
	for _, step := range []struct {
		work string
		command
	}{
		{"create", command{"thin-snap", "create", "--size", "64M", made}},
		{"snapshot", command{"thin-snap", "snapshot", pool + "/base", copied}},
		{"mount", command{"mount", "-t", "thin", copied, dir}},
		{"show", command{"thin-snap", "show", copied}},
		{"umount", command{"umount", dir}},
		{"delete", command{"thin-snap", "delete", "-y", copied}},
		{"list", command{"thin-snap", "list", pool}},
		{"pool check", command{"thin-snap", "pool", "check", pool}},
	} {
		if few, ok := fewRounds[step.work]; ok && round >= few {
			continue
		}
		k := sample.Key{Work: step.work + ", of many", Param: strconv.Itoa(n), Who: sample.Ours}
		b.measure(k, round, step.command)
	}
	must("thin-snap", "delete", "-y", made)
}

// manyMounts measures one mount and its umount while others of ours are
// mounted.
func (b *bench) manyMounts(pool string) {
	must("thin-snap", "snapshot", pool+"/base", pool+"/last")
	one := func(mounted int) {
		dir := b.folder("last")
		for round := range min(b.rounds, 10) {
			key := func(work string) sample.Key {
				return sample.Key{Work: work + ", many mounted", Param: strconv.Itoa(mounted),
					Who: sample.Ours}
			}
			b.measure(key("mount"), round, command{"mount", "-t", "thin", pool + "/last", dir})
			b.measure(key("umount"), round, command{"umount", dir})
		}
	}
	one(0)
	dir := func(i int) string { return b.folder(fmt.Sprintf("mounted/%d", i)) }
	start := time.Now()
	b.side(b.mounts, func(i int) error {
		_, err := spawn(command{"mount", "-t", "thin", pool + "/" + volume(i), dir(i)})
		return err
	})
	say("%d mounted in %.0f s", b.mounts, time.Since(start).Seconds())
	one(b.mounts)
	start = time.Now()
	b.side(b.mounts, func(i int) error {
		_, err := spawn(command{"umount", dir(i)})
		return err
	})
	say("%d unmounted in %.0f s", b.mounts, time.Since(start).Seconds())
}

// side does n things, a few at a time.
func (b *bench) side(n int, do func(i int) error) {
	next, errs := make(chan int), make(chan error)
	const workers = 8
	for range workers {
		go func() {
			var first error
			for i := range next {
				if err := do(i); err != nil && first == nil {
					first = err
				}
			}
			errs <- first
		}()
	}
	for i := range n {
		next <- i
	}
	close(next)
	for range workers {
		check(<-errs)
	}
}

// manyLines measures a mount and its umount while the mount table has many
// lines that are not ours.
func (b *bench) manyLines() {
	w := b.ours()
	if w == nil {
		return
	}
	w.prepare(1)
	defer w.discard(1)
	f := b.floorC()
	if f != nil {
		f.prepare(1)
		defer f.discard(1)
	}
	dir := b.folder("lines")
	one := func(lines int) {
		for round := range max(3, b.rounds/2) {
			key := func(work, who string) sample.Key {
				return sample.Key{Work: work + ", long mount table", Param: strconv.Itoa(lines),
					Who: who}
			}
			b.measure(key("mount", sample.Ours), round, w.mount(1, dir))
			b.measure(key("umount", sample.Ours), round, w.umount(1, dir))
			b.measure(key("mount", sample.Helper), round,
				command{"mount.thin", oursPool + "/s1", dir})
			b.measure(key("umount", sample.Helper), round, command{"umount.thin", dir})
			if f != nil {
				b.measure(key("mount", sample.FloorC), round, f.mount(1, dir))
				f.mounted(dir)
				b.measure(key("umount", sample.FloorC), round, f.umount(1, dir))
				f.unmounted(dir)
			}
		}
	}
	one(0)
	undo := b.addLines(b.lines)
	defer undo()
	one(b.lines)
}

// addLines adds bind mounts, and returns what removes them.
func (b *bench) addLines(n int) func() {
	top := b.folder("bound")
	check(unix.Mount("bound", top, "tmpfs", 0, ""))
	undo := func() { check(unix.Unmount(top, unix.MNT_DETACH)) }
	check(unix.Mount("", top, "", unix.MS_PRIVATE, ""))
	from := filepath.Join(top, "from")
	check(os.Mkdir(from, 0o755))
	for i := range n {
		to := filepath.Join(top, strconv.Itoa(i))
		check(os.Mkdir(to, 0o755))
		check(unix.Mount(from, to, "", unix.MS_BIND, ""))
	}
	say("%d lines in the mount table", strings.Count(must("cat", "/proc/self/mountinfo"), "\n"))
	return undo
}
