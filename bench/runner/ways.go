package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"thinmount/bench/sample"
)

// way is a candidate: by which commands it makes snapshot n of a filesystem,
// mounts it, and so on. What it cannot do is nil.
type way struct {
	name     string
	snapshot func(n int) command
	remove   func(n int) command
	mount    func(n int, dir string) command
	umount   func(n int, dir string) command
	// mounted and unmounted are done after a mount and after an umount, and not
	// measured: they let umount(8) find a floor's helper.
	mounted   func(dir string)
	unmounted func(dir string)
	prepare   func(n int) // a snapshot that is not measured
	discard   func(n int)
}

// Sizes of the filesystems that are mounted.
const (
	volumeSize    = "1G"
	volumeSectors = 2097152
)

const (
	oursPool  = "bench"
	floorPool = "bench-floor"
	group     = "benchvg"
)

func (b *bench) ours() *way {
	if b.disks["ours"] == "" {
		return nil
	}
	name := func(n int) string { return fmt.Sprintf("%s/s%d", oursPool, n) }
	return ownPool(&way{
		name: sample.Ours,
		snapshot: func(n int) command {
			return command{"thin-snap", "snapshot", oursPool + "/base", name(n)}
		},
		remove: func(n int) command { return command{"thin-snap", "delete", "-y", name(n)} },
		mount: func(n int, dir string) command {
			return command{"mount", "-t", "thin", name(n), dir}
		},
		umount: func(n int, dir string) command { return command{"umount", dir} },
	})
}

// ownPool completes a candidate with a pool of its own: a snapshot that is not
// measured is made and removed by the commands that are.
func ownPool(w *way) *way {
	w.prepare = func(n int) { must(w.snapshot(n)...) }
	w.discard = func(n int) { must(w.remove(n)...) }
	return w
}

// message is a command that sends a message to the pool of the floors.
func message(format string, args ...any) command {
	return command{"dmsetup", "message", floorPool, "0", fmt.Sprintf(format, args...)}
}

// The floors and the script share a pool. Snapshot n of one has the id
// base+n: 0 is the origin.
func onFloorPool(w *way, base int) *way {
	w.prepare = func(n int) { must(message("create_snap %d 0", base+n)...) }
	w.discard = func(n int) { must(message("delete %d", base+n)...) }
	return w
}

func (b *bench) script() *way {
	const base = 100000
	if b.disks["floor"] == "" {
		return nil
	}
	device := func(n int) string { return fmt.Sprintf("bench-script%d", n) }
	return onFloorPool(&way{
		name:     sample.Script,
		snapshot: func(n int) command { return message("create_snap %d 0", base+n) },
		remove:   func(n int) command { return message("delete %d", base+n) },
		mount: func(n int, dir string) command {
			return sh(`dmsetup create "$1" --table "$2"
mount "/dev/mapper/$1" "$3"`, device(n),
				fmt.Sprintf("0 %d thin /dev/mapper/%s %d", volumeSectors, floorPool, base+n), dir)
		},
		umount: func(n int, dir string) command {
			return sh(`umount "$2"
dmsetup remove "$1"`, device(n), dir)
		},
	}, base)
}

// floor is a helper of mount(8) that does the least there is to do.
func (b *bench) floor(name, helper string, base int) *way {
	if _, err := os.Stat("/sbin/mount." + helper); err != nil || b.disks["floor"] == "" {
		return nil
	}
	return onFloorPool(&way{
		name: name,
		mount: func(n int, dir string) command {
			what := fmt.Sprintf("%s/%d/%d", floorPool, base+n, volumeSectors)
			return command{"mount", "-t", helper, what, dir}
		},
		umount:    func(n int, dir string) command { return command{"umount", dir} },
		mounted:   func(dir string) { toUtab(dir, helper) },
		unmounted: fromUtab,
	}, base)
}

const utab = "/run/mount/utab"

// toUtab lets umount(8) call a helper for the mount on dir, as it does for
// ours.
func toUtab(dir, helper string) {
	var st unix.Stat_t
	check(unix.Stat(dir, &st))
	check(os.MkdirAll("/run/mount", 0o755))
	f, err := os.OpenFile(utab, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	check(err)
	_, err = fmt.Fprintf(f, "SRC=/dev/dm-%d TARGET=%s ROOT=/ OPTS=helper=%s\n", unix.Minor(st.Dev),
		dir, helper)
	check(err)
	check(f.Close())
}

// fromUtab removes the lines of a mount that is gone.
func fromUtab(dir string) {
	text, err := os.ReadFile(utab)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	check(err)
	var keep strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, " TARGET="+dir+" ") {
			keep.WriteString(line)
		}
	}
	check(os.WriteFile(utab, []byte(keep.String()), 0o644))
}

func (b *bench) lvm() *way {
	if b.disks["lvm"] == "" {
		return nil
	}
	name := func(n int) string { return fmt.Sprintf("%s/s%d", group, n) }
	return ownPool(&way{
		name: sample.LVM,
		snapshot: func(n int) command {
			return command{"lvcreate", "-q", "-s", "-n", fmt.Sprintf("s%d", n), group + "/base"}
		},
		remove: func(n int) command { return command{"lvremove", "-q", "-f", "-y", name(n)} },
		mount: func(n int, dir string) command {
			return sh(`lvchange -q -ay -K "$1"
mount "/dev/$1" "$2"`, name(n), dir)
		},
		umount: func(n int, dir string) command {
			return sh(`umount "$2"
lvchange -q -an "$1"`, name(n), dir)
		},
	})
}

// there returns those of the candidates that there are.
func there(all ...*way) (ways []*way) {
	for _, w := range all {
		if w != nil {
			ways = append(ways, w)
		}
	}
	return ways
}

func (b *bench) floorC() *way  { return b.floor(sample.FloorC, "floor-c", 200000) }
func (b *bench) floorGo() *way { return b.floor(sample.FloorGo, "floor-go", 300000) }

// turns gives the candidates of a round in another order each time, so that
// none is always the one after the slowest.
func turns[T any](all []T, round int) []T {
	k := round % len(all)
	return append(append([]T{}, all[k:]...), all[:k]...)
}
