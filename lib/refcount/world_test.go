package refcount

import (
	"fmt"
	"slices"
	"thinmount/lib/spec"
)

var base = of("demo", "base")

func of(pool, name string) spec.Volume { return spec.Volume{Pool: pool, Name: name} }

// world is the kernel, as far as one volume goes.
type world struct {
	active bool
	minor  int
	pinned bool // no deferred removal
	raw    int  // who has opened the device itself
	serial int
	mounts []worldMount
}

type worldMount struct {
	serial, id int // id is used again as soon as it is free, serial never
	path       string
	ns         uint64 // its mount namespace
}

const (
	home       = 1 // the mount namespace of the machine
	namespaces = 3
)

func (w *world) open() int {
	if len(w.mounts) > 0 {
		return w.raw + 1 // all mounts of a filesystem share one descriptor
	}
	return w.raw
}

// observe is what somebody in a mount namespace sees. Of the mount that the
// record claims it is known where it lives, as /proc shows it.
func (w *world) observe(ns uint64, r Record) Observed {
	o := Observed{OpenCount: w.open(), Active: w.active, PoolUUID: "u1", ThinID: 7, Namespace: ns}
	if w.active {
		o.Dev = fmt.Sprintf("253:%d", w.minor)
	}
	for _, m := range w.mounts {
		if m.ns == ns {
			o.Mounts = append(o.Mounts, MountPoint{m.id, m.path, "/"})
		}
	}
	o.Lives = r.Unseen(o) && w.claimed(r.MountID, r.MountedOn, r.Namespace)
	return o
}

// claimed tells whether a mount has that ID, or that path in that namespace.
func (w *world) claimed(id int, path string, ns uint64) bool {
	return slices.ContainsFunc(w.mounts,
		func(m worldMount) bool { return m.id == id || m.ns == ns && m.path == path })
}

func (w *world) activate(minor int) {
	if !w.active {
		w.active, w.minor = true, minor
	}
}

// settle is the deferred removal.
func (w *world) settle() {
	if w.open() == 0 && !w.pinned {
		w.active = false
	}
}

func (w *world) mount(path string, ns uint64) worldMount {
	id := 1
	for slices.ContainsFunc(w.mounts, func(m worldMount) bool { return m.id == id }) {
		id++
	}
	w.serial++
	m := worldMount{w.serial, id, path, ns}
	w.mounts = append(w.mounts, m)
	return m
}

// top is the index of the mount that is seen at path, or -1.
func (w *world) top(path string, ns uint64) int {
	for i := len(w.mounts) - 1; i >= 0; i-- {
		if w.mounts[i].path == path && w.mounts[i].ns == ns {
			return i
		}
	}
	return -1
}

func (w *world) umount(path string, ns uint64) {
	if i := w.top(path, ns); i >= 0 {
		w.mounts = slices.Delete(w.mounts, i, i+1)
	}
	w.settle()
}

func (w *world) seen(ns uint64) (n int) {
	for _, m := range w.mounts {
		if m.ns == ns {
			n++
		}
	}
	return n
}
