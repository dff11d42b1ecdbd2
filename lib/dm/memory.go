package dm

import (
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// memory holds what the kernel has answered since the last command that changed
// anything. All fields are guarded by the mutex: several goroutines may share a
// Control.
type memory struct {
	sync.Mutex
	known  map[Ref]known
	all    []Device     // of list; each with its uuid
	there  map[Ref]bool // the names, uuids and numbers of all
	listed bool         // all is everything there is
	off    bool
}

// known is what the kernel has said of one device.
type known struct {
	info   Info
	table  []Target
	status []Target
}

// Remember returns a Control that asks the kernel no question twice. Info,
// Table, List, and Status with StatusNoFlush answer from memory what was asked
// before, and Info also what a List shows: that there is no such device. Every
// other command makes it forget.
//
// It is for a caller that has locked out those who change the devices that it
// asks for. All its commands go through this one Control: it does not notice
// what another one changes. A caller that waits for a change of the kernel's
// calls Forget before each look.
//
// The memory is good for as long as the lock is held. What the kernel does by
// itself is not noticed, either: a device with deferred removal may go at any
// moment, and the answer then is an old one.
func (c *Control) Remember() *Control {
	fresh := &Control{call: c.call, file: c.file, nodes: c.nodes, memory: &memory{}}
	fresh.tracer.to = c.tracer.to
	fresh.Forget()
	return fresh
}

// Forget makes the next question go to the kernel.
func (c *Control) Forget() {
	if c.memory == nil {
		return
	}
	c.memory.Lock()
	defer c.memory.Unlock()
	c.memory.known, c.memory.all, c.memory.listed = map[Ref]known{}, nil, false
}

// StopRemembering makes every question go to the kernel from now on. It is
// called before the lock is released.
func (c *Control) StopRemembering() {
	if c.memory == nil {
		return
	}
	c.Forget()
	c.memory.Lock()
	defer c.memory.Unlock()
	c.memory.off = true
}

// forgetIfChanged forgets if a command may have changed something. A command
// that has failed counts, too: a resume that is refused leaves the device
// suspended. So does a status that flushes, since a thin-pool commits then.
func (c *Control) forgetIfChanged(cmd uint, flags uint32) {
	switch cmd {
	case cmdStatus, cmdList, cmdListVersions, cmdGetTargetVersion:
		return
	case cmdTableStatus:
		if flags&unix.DM_NOFLUSH_FLAG != 0 {
			return
		}
	}
	c.Forget()
}

// recall returns what is known of a device. gone says that it does not exist.
func (c *Control) recall(r Ref) (k known, ok, gone bool) {
	if c.memory == nil {
		return k, false, false
	}
	c.memory.Lock()
	defer c.memory.Unlock()
	if k, ok = c.memory.known[r]; ok || !c.memory.listed {
		return k, ok, false
	}
	return k, false, !c.memory.there[r]
}

// lockToKeep locks the memory, and returns true, if answers are remembered.
func (c *Control) lockToKeep() bool {
	if c.memory == nil {
		return false
	}
	c.memory.Lock()
	if c.memory.off {
		c.memory.Unlock()
		return false
	}
	return true
}

// keep remembers an answer on a device: its state, and what is not nil of table
// and status. It is found by name, by number and by uuid.
func (c *Control) keep(info Info, table, status []Target) {
	if !c.lockToKeep() {
		return
	}
	defer c.memory.Unlock()
	k := c.memory.known[ByName(info.Name)]
	k.info = info
	if table != nil {
		k.table = table
	}
	if status != nil {
		k.status = status
	}
	c.memory.known[ByName(info.Name)] = k
	c.memory.known[ByDev(info.Dev)] = k
	if info.UUID != "" {
		c.memory.known[ByUUID(info.UUID)] = k
	}
}

// recallList returns all devices, if they are known. The caller gets a copy,
// which it may sort.
func (c *Control) recallList() ([]Device, bool) {
	if c.memory == nil {
		return nil, false
	}
	c.memory.Lock()
	defer c.memory.Unlock()
	return slices.Clone(c.memory.all), c.memory.listed
}

// keepList remembers all devices.
func (c *Control) keepList(all []Device) {
	if !c.lockToKeep() {
		return
	}
	defer c.memory.Unlock()
	c.memory.all, c.memory.listed, c.memory.there = all, true, make(map[Ref]bool, 3*len(all))
	for _, d := range all {
		c.memory.there[ByName(d.Name)], c.memory.there[ByDev(d.Dev)] = true, true
		c.memory.there[ByUUID(d.UUID)] = d.UUID != ""
	}
}
