package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"thinmount/bench/sample"
)

// start measures programs that have nothing to do.
func (b *bench) start() {
	programs := []struct {
		who string
		command
	}{
		{"mount", command{"mount", "--version"}},
		{"umount", command{"umount", "--version"}},
		{"mount.thin", command{"mount.thin", "--version"}},
		{"umount.thin", command{"umount.thin", "--version"}},
		{"thin-snap", command{"thin-snap", "--version"}},
		{sample.BareGo, command{"bench-bare"}},
	}
	for round := range 2 * b.rounds {
		for _, p := range turns(programs, round) {
			b.measure(sample.Key{Work: "start", Who: p.who}, round, p.command)
		}
	}
}

// one measures one command at a time: a snapshot of an idle origin, its mount,
// its umount, and its removal.
func (b *bench) one() {
	ways := there(b.ours(), b.script(), b.floorC(), b.floorGo(), b.lvm())
	for round := range b.rounds {
		for _, w := range turns(ways, round) {
			b.candidate(w.name, func() { b.oneRound(w, round) })
		}
	}
}

func (b *bench) oneRound(w *way, round int) {
	dir := b.folder("one")
	key := func(work string) sample.Key { return sample.Key{Work: work, Who: w.name} }
	if w.snapshot != nil {
		b.measure(key("snapshot"), round, w.snapshot(1))
	} else {
		w.prepare(1)
	}
	b.measure(key("mount"), round, w.mount(1, dir))
	after(w.mounted, dir)
	b.measure(key("umount"), round, w.umount(1, dir))
	after(w.unmounted, dir)
	if w.remove != nil {
		b.measure(key("delete"), round, w.remove(1))
	} else {
		w.discard(1)
	}
}

func after(f func(string), dir string) {
	if f != nil {
		f(dir)
	}
}

// again measures a second reference to a mount, beside what mount(8) and the
// helper take to start, which are asked in the same round.
func (b *bench) again() {
	w := b.ours()
	if w == nil {
		return
	}
	dir := b.folder("again")
	w.prepare(1)
	defer w.discard(1)
	must(w.mount(1, dir)...)
	defer must(w.umount(1, dir)...)
	key := func(work, who string) sample.Key { return sample.Key{Work: work, Who: who} }
	for round := range b.rounds {
		b.measure(key("mount again", sample.Ours), round, w.mount(1, dir))
		b.measure(key("umount again", sample.Ours), round, w.umount(1, dir))
		b.measure(key("mount again", "mount --version"), round, command{"mount", "--version"})
		b.measure(key("mount again", "mount.thin --version"), round, command{"mount.thin",
			"--version"})
		b.measure(key("umount again", "umount --version"), round, command{"umount", "--version"})
		b.measure(key("umount again", "umount.thin --version"), round, command{"umount.thin",
			"--version"})
	}
}

// memory measures the most memory of each command, and the sizes of the
// programs.
func (b *bench) memory() {
	for _, program := range []string{"mount.thin", "umount.thin", "thin-snap"} {
		path, err := lookUp(program)
		check(err)
		st, err := os.Stat(path)
		check(err)
		b.emit(sample.Sample{Key: sample.Key{Work: "size", Who: program}, Bytes: st.Size()})
	}
	w := b.ours()
	if w == nil {
		return
	}
	dir := b.folder("memory")
	for round := range min(b.rounds, 5) {
		b.peak("thin-snap snapshot", "", round, w.snapshot(1))
		b.peak("mount.thin", "", round, command{"mount.thin", oursPool + "/s1", dir})
		b.peak("umount.thin", "", round, command{"umount.thin", dir})
		b.peak("thin-snap delete", "", round, w.remove(1))
	}
}

// peak measures the most memory of a command.
func (b *bench) peak(who, param string, round int, c command) {
	path, err := lookUp(c[0])
	check(err)
	out := must(append([]string{"bench-peak", path}, c[1:]...)...)
	n, err := strconv.ParseInt(strings.TrimSpace(out), 10, 64)
	check(err)
	b.emit(sample.Sample{Key: sample.Key{Work: "memory", Param: param, Who: who}, Round: round,
		Peak: n})
}

// huge measures volumes that promise more than there is.
func (b *bench) huge() {
	if b.disks["ours"] == "" {
		return
	}
	sizes := []string{"1G", "15T", "1P"}
	name := oursPool + "/huge"
	for round := range b.rounds {
		for _, size := range turns(sizes, round) {
			key := func(work string) sample.Key {
				return sample.Key{Work: work, Param: size, Who: sample.Ours}
			}
			b.measure(key("create huge"), round, command{"thin-snap", "create", "--size", size,
				name})
			b.measure(key("delete huge"), round, command{"thin-snap", "delete", "-y", name})
		}
	}
}

// file is a file in a folder.
func file(dir, name string) string { return filepath.Join(dir, name) }
