package mounting

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
	"thinmount/lib/dmname"
	"thinmount/lib/fault"
	"thinmount/lib/refcount"
	"thinmount/lib/thintest"
)

// A mount reads pool.json, the journal and the volume's record once before it
// takes a lock, and once under each lock under which they may have changed. A
// mistyped name makes no lock file. If no pool has the name, Misplaced opens
// the pool.json of each other pool: that pool may be the one meant, with its
// folder moved. The fake pool has failed, so the mounts end before they make a
// device.
func TestMountReadsOnce(t *testing.T) {
	found := []string{"pool.json", "journal", "volumes/v.json", "locks/demo@v",
		"pool.json", "journal", "volumes/v.json"}
	whole := slices.Concat(found,
		[]string{"locks/demo@v@mount", "locks/demo@", "pool.json", "journal"})
	for _, row := range []struct {
		name   string
		spec   string
		active bool // the volume's device exists
		kind   error
		want   []string
	}{
		{"first", "demo/v", false, fault.ErrPoolState, whole},
		{"activated before", "demo/v", true, fault.ErrPoolState, whole},
		{"path that libmount made", "/current/folder/demo/v", false, fault.ErrPoolState, whole},
		{"remount", "demo/v remount", true, fault.ErrNotFound, found},
		{"mistyped", "demo/w", false, fault.ErrNotFound, []string{"pool.json", "journal"}},
		{"pool mistyped", "dmo/v", false, fault.ErrNotFound, []string{"pool.json", "journal"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			s := thintest.System(dir)
			s.Fstab = filepath.Join(dir, "fstab")
			cat := thintest.Catalog(t, s, "file", dir)
			err := errors.Join(cat.PutVolume(thintest.Volume("v", 1)), refcount.CheckDir(s.RunDir),
				os.Mkdir(s.RunDir+"/locks", 0o700))
			if err != nil {
				t.Fatal(err)
			}
			k := &thintest.Kernel{PoolUUID: dmname.PartUUID(thintest.UUID, dmname.Pool),
				Mode: "Fail", Open: map[string]int{}}
			if row.active {
				k.Open[dmname.VolumeUUID(thintest.UUID, 1)] = 0
			}
			spec, option, _ := strings.Cut(row.spec, " ")
			m := &mounting{System: s, c: dm.NewControl(k.Call),
				request: MountRequest{Spec: spec, Dir: dir}}
			m.options.Remount = option == "remount"
			got := opened(t, map[string]string{
				cat.Dir(): "", cat.Dir() + "/volumes": "volumes/", s.RunDir + "/locks": "locks/",
			}, func() {
				if err := m.do(t.Context()); !errors.Is(err, row.kind) {
					t.Errorf("%v, want %v", err, row.kind)
				}
			})
			if !slices.Equal(got, row.want) {
				t.Errorf("opened %q, want %q", got, row.want)
			}
		})
	}
}

// opened lists the files that do opens in folders, in order, each with the name
// that stands for its folder. It leaves out the turnstile of a lock.
func opened(t *testing.T, folders map[string]string, do func()) (files []string) {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	names := map[uint32]string{}
	for path, name := range folders {
		// The kernel reports only one of several equal events in a row
		// (inotify(7)). With IN_CLOSE between them, two openings of one file
		// are two events.
		wd, err := unix.InotifyAddWatch(fd, path, unix.IN_OPEN|unix.IN_CLOSE)
		if err != nil {
			t.Fatal(err)
		}
		names[uint32(wd)] = name
	}
	do()
	buf := make([]byte, 64<<10)
	n, err := unix.Read(fd, buf)
	if err != nil && !errors.Is(err, unix.EAGAIN) {
		t.Fatal(err)
	}
	for rest := buf[:max(n, 0)]; len(rest) > 0; {
		var e unix.InotifyEvent
		size, err := binary.Decode(rest, binary.NativeEndian, &e)
		if err != nil {
			t.Fatal(err)
		}
		file := names[uint32(e.Wd)] + unix.ByteSliceToString(rest[size:size+int(e.Len)])
		if e.Mask&unix.IN_OPEN != 0 && e.Mask&unix.IN_ISDIR == 0 &&
			!strings.HasSuffix(file, "@turn") {
			files = append(files, file)
		}
		rest = rest[size+int(e.Len):]
	}
	return files
}
