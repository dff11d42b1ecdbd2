//go:build kernel

package torture

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

const (
	powerLog  = "torture-log" // the dm device whose writes are logged
	powerDisk = "/dev/vdd"
	powerSize = 128 << 20 // bytes, of the filesystem on it
	logDisk   = "/dev/vdc"
)

// load is a seeded workload, and marks in the log what it was promised.
type load struct {
	t    *testing.T
	seed uint64
	dir  string
}

// record lets the workload run on a logged disk.
func (l *load) record(commands int) {
	t := l.t
	must(t, "modprobe", "dm_log_writes")
	must(t, "env", "DM_DISABLE_UDEV=1", "dmsetup", "create", powerLog, "--table",
		fmt.Sprintf("0 %d log-writes %s %s", powerSize/512, powerDisk, logDisk))
	defer must(t, "env", "DM_DISABLE_UDEV=1", "dmsetup", "remove", "--retry", powerLog)
	l.mark("seed=%d", l.seed)
	dev := "/dev/mapper/" + powerLog
	// What is not in the log is zeros at the replay: nothing is left to be made
	// lazily.
	must(t, "mke2fs", "-q", "-t", "ext4", "-b", "4096", "-E",
		"nodiscard,lazy_itable_init=0,lazy_journal_init=0", dev)
	must(t, "mount", dev, stateDir)
	defer must(t, "umount", stateDir)
	defer must(t, "thin-snap", "pool", "deactivate", "--unmount", "--all")
	l.mark("try=t")
	must(t, "thin-snap", "pool", "create", "--size", "64M", "--metadata-size", "2M", "t")
	l.mark("made=t")
	var all sync.WaitGroup
	for n := range 3 {
		w := &loader{load: l, n: n, rng: rand.New(rand.NewPCG(l.seed, uint64(n)))}
		all.Go(func() {
			for range commands {
				if !w.step() {
					return
				}
			}
			w.unmount()
		})
	}
	all.Wait()
}

// mark puts a line into the log, behind all that is durable by now.
func (l *load) mark(format string, args ...any) {
	must(l.t, "dmsetup", "message", powerLog, "0", "mark", fmt.Sprintf(format, args...))
}

// loader is one of those who work side by side, each on its own volumes.
type loader struct {
	*load
	n       int
	rng     *rand.Rand
	made    int
	pool    bool // the loader's own pool is there
	volumes []*loaded
}

type loaded struct {
	name  string
	dir   string // where it is mounted, or ""
	files int
}

// do runs a command between the mark that it begins and the one that it is
// done.
func (w *loader) do(before, after string, argv ...string) bool {
	if before != "" {
		w.mark("%s", before)
	}
	o := run(w.t, argv...)
	if o.code != 0 {
		w.t.Errorf("power/%d: loader %d: %v: exit status %d: %s", w.seed, w.n, argv, o.code,
			o.stderr)
		return false
	}
	if after != "" {
		w.mark("%s", after)
	}
	return true
}

// step does one thing at random, of those that can be done now.
func (w *loader) step() bool {
	if len(w.volumes) == 0 {
		return w.create()
	}
	i := w.rng.IntN(len(w.volumes))
	v := w.volumes[i]
	const most = 4
	switch x := w.rng.IntN(100); {
	case x < 8 && len(w.volumes) < most:
		return w.create()
	case x < 30 && len(w.volumes) < most:
		name := w.name()
		w.volumes = append(w.volumes, &loaded{name: name, files: v.files})
		return w.do("try="+name, "made="+name+"<"+v.name, "thin-snap", "snapshot", v.name, name)
	case x < 45 && v.dir == "":
		w.volumes = append(w.volumes[:i], w.volumes[i+1:]...)
		return w.do("drop="+v.name, "gone="+v.name, "thin-snap", "delete", "-y", v.name)
	case x < 55 && v.dir != "":
		return w.umount(v)
	case x < 62 && w.n == 0:
		return w.otherPool()
	case v.dir == "":
		return w.mount(v)
	}
	return w.write(v)
}

func (w *loader) name() string {
	w.made++
	return fmt.Sprintf("t/w%d-%d", w.n, w.made)
}

func (w *loader) create() bool {
	name := w.name()
	w.volumes = append(w.volumes, &loaded{name: name})
	return w.do("try="+name, "made="+name, "thin-snap", "create", "--size", "16M", "--fs", "ext4",
		name)
}

func (w *loader) otherPool() bool {
	w.pool = !w.pool
	if w.pool {
		return w.do("try=u", "made=u", "thin-snap", "pool", "create", "--size", "4M",
			"--metadata-size", "2M", "u")
	}
	return w.do("drop=u", "gone=u", "thin-snap", "pool", "delete", "-r", "-y", "u")
}

func (w *loader) mount(v *loaded) bool {
	v.dir = filepath.Join(w.dir, filepath.Base(v.name))
	if err := os.MkdirAll(v.dir, 0o700); err != nil {
		w.t.Error(err)
		return false
	}
	return w.do("", "", "mount.thin", v.name, v.dir, "-o", "rw")
}

func (w *loader) umount(v *loaded) bool {
	dir := v.dir
	v.dir = ""
	return w.do("", "", "umount.thin", dir)
}

func (w *loader) unmount() {
	for _, v := range w.volumes {
		if v.dir != "" && !w.umount(v) {
			return
		}
	}
}

// write makes a file, and syncs it and its name. What came before it is not
// written again, so that each file has one content for all time.
func (w *loader) write(v *loaded) bool {
	if v.files == 12 {
		return w.umount(v)
	}
	v.files++
	name := fmt.Sprintf("%s-%d", filepath.Base(v.name), v.files)
	size := 1 + w.rng.IntN(64<<10)
	f, err := os.Create(filepath.Join(v.dir, name))
	if err == nil {
		_, err = f.Write(content(name, size))
	}
	if err == nil {
		err = f.Sync()
	}
	f.Close()
	if dir, e := os.Open(v.dir); err == nil && e == nil {
		err = dir.Sync()
		dir.Close()
	}
	if err != nil {
		w.t.Errorf("power/%d: %s in %s: %v", w.seed, name, v.name, err)
		return false
	}
	w.mark("file=%s:%s:%d", v.name, name, size)
	return true
}
