//go:build kernel

package torture

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"thinmount/lib/catalog"
)

// state is what a machine can have left, a line each, as the kernel and the
// files show it.
type state []string

func stateOf(t *testing.T) state {
	t.Helper()
	var s state
	add := func(kind string, lines []string) {
		for _, l := range lines {
			s = append(s, kind+" "+l)
		}
	}
	add("device", devices(t))
	add("loop", loops())
	add("mount", mounts(t))
	add("semaphore", semaphores(t))
	add("node", nodes())
	add("file", files(stateDir))
	add("file", files(runDir))
	add("utab", lines(utabPath))
	add("process", processes())
	sort.Strings(s)
	return s
}

// devices lists the device-mapper devices: "NAME UUID running".
func devices(t *testing.T) (all []string) {
	t.Helper()
	dirs, _ := filepath.Glob("/sys/block/dm-*/dm")
	for _, d := range dirs {
		state := "running"
		if word(d+"/suspended") == "1" {
			state = "suspended"
		}
		if name := word(d + "/name"); name != "" { // "": it has just gone
			all = append(all, name+" "+word(d+"/uuid")+" "+state)
		}
	}
	return all
}

func suspended(t *testing.T) bool {
	return slices.ContainsFunc(devices(t),
		func(d string) bool { return strings.HasSuffix(d, " suspended") })
}

func loops() (all []string) {
	files, _ := filepath.Glob("/sys/block/loop*/loop/backing_file")
	for _, f := range files {
		if backing := word(f); backing != "" {
			all = append(all, backing)
		}
	}
	return all
}

// mounts lists the mounts of thin volumes: "DIR SOURCE".
func mounts(t *testing.T) (all []string) {
	t.Helper()
	for _, l := range lines("/proc/self/mountinfo") {
		f := strings.Fields(l)
		source := f[slices.Index(f, "-")+2]
		if strings.HasPrefix(source, "/dev/mapper/") {
			all = append(all, f[4]+" "+source)
		}
	}
	return all
}

func semaphores(t *testing.T) []string {
	t.Helper()
	all := lines("/proc/sysvipc/sem")
	return all[min(1, len(all)):]
}

func nodes() (all []string) {
	entries, _ := os.ReadDir("/dev/mapper")
	for _, e := range entries {
		if e.Name() != "control" {
			all = append(all, e.Name())
		}
	}
	return all
}

func files(dir string) (all []string) {
	filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.IsDir() {
			path += "/"
		}
		if err == nil {
			all = append(all, path)
		}
		return nil
	})
	return all
}

// processes lists those of ours that still run.
func processes() (all []string) {
	comms, _ := filepath.Glob("/proc/[0-9]*/comm")
	for _, c := range comms {
		switch name := word(c); name {
		case "thin-snap", "mount.thin", "umount.thin", "exe", "thin-watcher":
			all = append(all, name)
		}
	}
	return all
}

func word(file string) string {
	b, _ := os.ReadFile(file)
	return strings.TrimSpace(string(b))
}

func lines(file string) []string {
	if s := word(file); s != "" {
		return strings.Split(s, "\n")
	}
	return nil
}

// view is what the commands say there is: each volume with its mount, each
// pool.
type view []string

func viewOf(t *testing.T) view {
	t.Helper()
	var v view
	var volumes struct {
		Volumes []struct {
			Name       string
			MountedOn  string `json:"mounted_on"`
			References int
		}
	}
	var pools struct{ Pools []struct{ Name string } }
	var listed, pooled outcome
	var both sync.WaitGroup
	both.Go(func() { listed = run(t, "thin-snap", "list", "--json") })
	both.Go(func() { pooled = run(t, "thin-snap", "pool", "list", "--json") })
	both.Wait()
	for into, o := range map[any]outcome{&volumes: listed, &pools: pooled} {
		if err := json.Unmarshal([]byte(o.stdout), into); err != nil || o.code != 0 {
			t.Fatalf("%v: exit status %d: %s%s", err, o.code, o.stdout, o.stderr)
		}
	}
	for _, x := range volumes.Volumes {
		v = append(v, fmt.Sprintf("%s %s %d", x.Name, x.MountedOn, x.References))
	}
	for _, x := range pools.Pools {
		v = append(v, "pool "+x.Name)
	}
	sort.Strings(v)
	return v
}

// isWithin says that another view has all that this one has.
func (v view) isWithin(other view) bool {
	return !slices.ContainsFunc(v, func(line string) bool { return !slices.Contains(other, line) })
}

func (v view) hasPool(name string) bool { return slices.Contains(v, "pool "+name) }

var (
	dumpID    = regexp.MustCompile(`<device dev_id="(\d+)"`)
	dumpTrans = regexp.MustCompile(`<superblock [^>]*transaction="(\d+)"`)
)

// compareIDs holds the catalog of an inactive pool against its metadata, by
// thin_check and thin_dump. It counts those with blocks that were allocated in
// vain, unless that is a problem, too: leaked is nil.
func compareIDs(t *testing.T, pool string, leaked *int) (problems []string) {
	t.Helper()
	return idsOf(t, pool, leaked)()
}

// idsOf takes down what the catalog of an inactive pool and its metadata say.
// Comparing them takes a while; meanwhile the pool may be used again.
func idsOf(t *testing.T, pool string, leaked *int) (compare func() []string) {
	t.Helper()
	c, err := catalog.Store{Dir: stateDir}.Open(pool)
	if err != nil {
		t.Fatal(err)
	}
	cat := c.Pool()
	volumes, err := c.VolumesAnyState()
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, v := range volumes {
		named = append(named, fmt.Sprint(v.ID))
	}
	if cat.Head != nil {
		named = append(named, fmt.Sprint(*cat.Head))
	}
	sort.Strings(named)
	// on a disk: the tools read past the page cache, which tmpfs cannot
	meta := "/var/tmp/torture.metadata." + pool
	if cat.Metadata.Kind == "file" {
		copyPart(t, cat.Metadata.Path, meta, 1<<20, 3<<20)
	} else { // what the pool wrote to a device its page cache does not know
		must(t, "dd", "if="+cat.Metadata.Path, "of="+meta, "bs=1M", "skip=1", "count=3",
			"status=none", "iflag=direct")
	}
	return func() (problems []string) {
		defer os.Remove(meta)
		switch o := run(t, "thin_check", meta); {
		case o.code == 0:
		case leaked != nil &&
			run(t, "thin_check", "-q", "--ignore-non-fatal-errors", meta).code == 0:
			t.Logf("pool %s: blocks allocated in vain: %s%s", pool, o.stdout, o.stderr)
			*leaked++
			problems = append(works(t, "thin_check", "-q", "--auto-repair", meta),
				works(t, "thin_check", "-q", meta)...)
		default:
			problems = append(problems,
				fmt.Sprintf("thin_check: exit status %d, %s%s", o.code, o.stdout, o.stderr))
		}
		dumped := run(t, "thin_dump", meta)
		if dumped.code != 0 {
			problems = append(problems, "thin_dump: "+dumped.stderr)
		}
		var kernel []string
		for _, m := range dumpID.FindAllStringSubmatch(dumped.stdout, -1) {
			kernel = append(kernel, m[1])
		}
		sort.Strings(kernel)
		if !slices.Equal(kernel, named) {
			problems = append(problems,
				fmt.Sprintf("pool %s: ids in the metadata %v, in the catalog %v", pool, kernel,
					named))
		}
		if m := dumpTrans.FindStringSubmatch(dumped.stdout); m == nil ||
			m[1] != fmt.Sprint(cat.TransactionID) {
			problems = append(problems,
				fmt.Sprintf("pool %s: transaction id in the metadata %v, in the catalog %d", pool,
					m, cat.TransactionID))
		}
		if len(cat.Intents) > 0 {
			problems = append(problems, fmt.Sprintf("pool %s: %v are left", pool, cat.Intents))
		}
		return problems
	}
}

// copyPart copies at most size bytes of a file, from offset at, into a new one.
func copyPart(t *testing.T, from, to string, at, size int64) {
	t.Helper()
	src, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	dst, err := os.Create(to)
	if err == nil {
		_, err = io.Copy(dst, io.NewSectionReader(src, at, size))
	}
	if err == nil {
		err = dst.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// settled waits until what is on its way out has gone, or gives up, and returns
// what is there and should not be.
func (w *world) settled(t *testing.T, want func(state) []string) []string {
	t.Helper()
	var left []string
	for range 60 {
		if left = want(stateOf(t)); len(left) == 0 {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return left
}

// leftSince is what was not there before, stays, and is none of what may.
func leftSince(t *testing.T, before state, may func(line string) bool) []string {
	t.Helper()
	left := (&world{}).settled(t, func(s state) []string {
		return slices.DeleteFunc(s,
			func(line string) bool { return slices.Contains(before, line) || may(line) })
	})
	if len(left) > 0 {
		return []string{"left: " + strings.Join(left, "; ")}
	}
	return nil
}
