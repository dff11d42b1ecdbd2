package main

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"thinmount/bench/sample"
)

// atOnce does n things side by side, and prints what all took together, and
// each.
func (b *bench) atOnce(k sample.Key, round, n int, do func(i int) (took, error)) {
	each, errs := make([]took, n), make([]error, n)
	var wg sync.WaitGroup
	start := time.Now()
	for i := range n {
		wg.Go(func() { each[i], errs[i] = do(i) })
	}
	wg.Wait()
	all := took{wall: time.Since(start)}
	check(errors.Join(errs...))
	one := k
	one.Work += ", each"
	for _, t := range each {
		all.cpu += t.cpu
		b.emit(sample.Sample{Key: one, Round: round, Wall: t.wall, CPU: t.cpu})
	}
	b.emit(sample.Sample{Key: k, Round: round, Wall: all.wall, CPU: all.cpu})
}

// together measures mounts side by side, and umounts.
func (b *bench) together() {
	ways := there(b.ours(), b.floorC(), b.floorGo(), b.script())
	dir := func(n int) string { return b.folder(fmt.Sprintf("crowd/%d", n)) }
	for n := range b.crowd {
		for _, w := range ways {
			w.prepare(n)
		}
	}
	param := strconv.Itoa(b.crowd)
	for round := range max(3, b.rounds/5) {
		for _, w := range turns(ways, round) {
			b.atOnce(sample.Key{Work: "mounts side by side", Param: param, Who: w.name}, round,
				b.crowd,
				func(n int) (took, error) { return spawn(w.mount(n, dir(n))) })
			for n := range b.crowd {
				after(w.mounted, dir(n))
			}
			b.atOnce(sample.Key{Work: "umounts side by side", Param: param, Who: w.name}, round,
				b.crowd,
				func(n int) (took, error) { return spawn(w.umount(n, dir(n))) })
			for n := range b.crowd {
				after(w.unmounted, dir(n))
			}
		}
	}
	for n := range b.crowd {
		for _, w := range ways {
			w.discard(n)
		}
	}
}

// job is a copy of a filesystem that is made, worked in, and thrown away, by a
// number of commands one after another.
type job struct {
	who   string
	slow  bool // is done once, and not side by side with very many
	steps func(n int, dir string) []command
}

// task is the work in the copy: 2 MiB are written, and a program reads them.
func task(dir string) []command {
	return []command{
		{"dd", "if=/dev/zero", "of=" + file(dir, "new"), "bs=64k", "count=32", "status=none"},
		{"cksum", file(dir, "new")},
	}
}

// around are steps before and after the task.
func around(before []command, dir string, after ...command) []command {
	return append(append(before, task(dir)...), after...)
}

// jobsOf are the candidates.
func (b *bench) jobsOf() (all []job) {
	for _, w := range there(b.ours(), b.lvm()) {
		all = append(all, job{w.name, w.name == sample.LVM, func(n int, dir string) []command {
			return around([]command{w.snapshot(n), w.mount(n, dir)}, dir, w.umount(n, dir),
				w.remove(n))
		}})
	}
	if b.disks["btrfs"] != "" {
		top := b.folder("btrfs")
		all = append(all, job{sample.Btrfs, false, func(n int, _ string) []command {
			dir := file(top, strconv.Itoa(n))
			return around([]command{{"btrfs", "subvolume", "snapshot", file(top, "base"), dir}},
				dir,
				command{"btrfs", "subvolume", "delete", dir})
		}})
	}
	if b.disks["ext4"] != "" {
		top := b.folder("ext4")
		all = append(all, job{sample.Overlay, false, func(n int, dir string) []command {
			own := file(top, strconv.Itoa(n))
			options := fmt.Sprintf("lowerdir=%s,upperdir=%s/upper,workdir=%s/work", file(top,
				"base"), own, own)
			return around([]command{
				{"mkdir", "-p", own + "/upper", own + "/work"},
				{"mount", "-t", "overlay", "-o", options, "overlay", dir},
			}, dir, command{"umount", dir}, command{"rm", "-rf", own})
		}}, job{sample.WorkAlone, false, func(n int, _ string) []command {
			own := file(top, "w"+strconv.Itoa(n))
			return around([]command{{"mkdir", own}}, own, command{"rm", "-rf", own})
		}})
	}
	if b.disks["xfs"] != "" {
		top := b.folder("xfs")
		all = append(all, job{sample.Reflink, true, func(n int, _ string) []command {
			own := file(top, strconv.Itoa(n))
			return around([]command{{"cp", "-a", "--reflink=always", file(top, "base"), own}}, own,
				command{"rm", "-rf", own})
		}})
	}
	return all
}

// one job's commands, one after another.
func (j job) run(n int, dir string) (all took, err error) {
	for _, c := range j.steps(n, dir) {
		t, err := spawn(c)
		if err != nil {
			return all, err
		}
		all.wall += t.wall
		all.cpu += t.cpu
	}
	return all, nil
}

// allJobs measures jobs side by side: few, and more.
func (b *bench) allJobs() {
	dir := func(n int) string { return b.folder(fmt.Sprintf("job/%d", n)) }
	jobs := b.jobsOf()
	for _, many := range b.jobs {
		for round := range min(b.rounds, jobRounds(many)) {
			for _, j := range turns(jobs, round) {
				if j.slow && (round > 0 || j.who == sample.Reflink && many > 20) {
					continue
				}
				k := sample.Key{Work: "jobs", Param: strconv.Itoa(many), Who: j.who}
				b.candidate(j.who, func() {
					b.atOnce(k, round, many, func(n int) (took, error) { return j.run(n, dir(n)) })
				})
				say("%d jobs, %s", many, j.who)
			}
		}
	}
}

// jobRounds is how often so many jobs are run side by side.
func jobRounds(many int) int {
	switch {
	case many <= 5:
		return 5
	case many <= 20:
		return 3
	}
	return 2
}
