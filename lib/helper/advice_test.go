package helper

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"thinmount/lib/fault"
	"thinmount/lib/thin"
	"thinmount/lib/thintest"
)

// remedies has each type of remedy at least once, with its words.
var remedies = []struct {
	remedy thin.Remedy
	want   string
}{
	{nil, ""},
	{fault.Hint("dmesg"), "dmesg"},
	{fault.Sayf("use %s, or a snapshot: %v", "/mnt", fault.Snapshot{Volume: thintest.Named("p/v")}),
		"use /mnt, or a snapshot: thin-snap snapshot p/v p/v-2"},
	{fault.Sayf("%v, or use %v", fault.Sayf("%v, or delete volumes", fault.GrowPool{Pool: "p"}),
		fault.OptionForce),
		"thin-snap pool grow p, or delete volumes, or use --force"},
	{fault.Sayf("100%% of %s", "%v"), "100% of %v"},
	{fault.OptionForce, "--force"},
	{fault.OptionDir, "--dir"},
	{fault.OptionSize, "--size"},
	{fault.OptionMetadataSize, "--metadata-size"},
	{fault.RunAsRoot{}, "run it as root"},

	{fault.ListPools{}, "thin-snap pool list"},
	{fault.ShowPool{Pool: "p"}, "thin-snap pool show p"},
	{fault.CreatePool{Pool: "p"}, "thin-snap pool create p"},
	{fault.CreatePool{}, "thin-snap pool create NAME"},
	{fault.CreatePoolHelp{}, "thin-snap pool create --help"},
	{fault.GrowPool{Pool: "p"}, "thin-snap pool grow p"},
	{fault.GrowPool{Pool: "p", Data: fault.Growth{More: true}},
		"thin-snap pool grow --size +SIZE p"},
	{fault.GrowPool{Pool: "p", Data: fault.Growth{Size: 10 << 30, More: true}},
		"thin-snap pool grow --size +10G p"},
	{fault.GrowPool{Pool: "p", Metadata: fault.Growth{Size: 8 << 30}},
		"thin-snap pool grow --metadata-size 8G p"},
	{fault.GrowPool{Pool: "p", Data: fault.Growth{Size: 9<<30 + 1<<20, More: true},
		Metadata: fault.Growth{Size: 64 << 20, More: true}},
		"thin-snap pool grow --size +9217M --metadata-size +64M p"},
	{fault.ActivatePool{Pool: "p"}, "thin-snap pool activate p"},
	{fault.DeactivatePool{Pool: "p"}, "thin-snap pool deactivate p"},
	{fault.DeactivatePool{Pool: "p", Unmount: true}, "thin-snap pool deactivate -u p"},
	{fault.RestartPool{Pool: "p"},
		"thin-snap pool deactivate --unmount p && thin-snap pool activate p"},
	{fault.DeletePool{Pool: "p"}, "thin-snap pool delete p"},
	{fault.DeletePool{Pool: "p", Volumes: true}, "thin-snap pool delete -r p"},
	{fault.CheckPool{Pool: "p"}, "thin-snap pool check p"},
	{fault.CompareRecords{Pool: "p"},
		"thin-snap pool check p shows what differs, and with --repair mends it"},
	{fault.RepairPool{Pool: "p"}, "thin-snap pool check --repair p"},
	{fault.SaveMetadata{Pool: "p", Path: "/srv/a b", Offset: 1 << 20, Size: 4 << 20},
		"thin-snap pool deactivate p && dev=$(losetup --find --show --offset 1048576 --sizelimit " +
			"4194304 '/srv/a b') && " +
			"dd if=$dev of=/var/tmp/p.damaged bs=1M conv=sparse && truncate -s 4194304 " +
			"/var/tmp/p.repaired && " +
			"thin_repair -i $dev -o /var/tmp/p.repaired && dd if=/var/tmp/p.repaired of=$dev " +
			"bs=1M conv=fsync; " +
			"losetup --detach $dev; thin-snap pool check --repair p"},
	{fault.SetFreezeLimit{Pool: "p", Limit: 2 * time.Minute},
		"thin-snap pool set freeze-limit=120s p"},
	{fault.NameDisk{Pool: "p", Role: "data"}, "thin-snap pool set data=/dev/disk/by-id/LINK p"},

	{fault.ListVolumes{}, "thin-snap list"},
	{fault.ListVolumes{Pool: "p"}, "thin-snap list p"},
	{fault.CreateVolume{Volume: thintest.Named("p/v")},
		"thin-snap create --size SIZE --fs ext4 p/v"},
	{fault.DeleteVolume{Volume: thintest.Named("p/v")}, "thin-snap delete p/v"},
	{fault.DeactivateVolume{Volume: thintest.Named("p/v")}, "thin-snap deactivate p/v"},
	{fault.DeactivateVolume{}, "thin-snap deactivate POOL/VOLUME"},
	{fault.FormatVolume{Volume: thintest.Named("p/v")}, "thin-snap format --fs ext4 p/v"},
	{fault.Snapshot{Volume: thintest.Named("p/v")}, "thin-snap snapshot p/v p/v-2"},
	{fault.OnDevice{Volume: thintest.Named("p/v"), Program: "wipefs $d"},
		"d=$(thin-snap activate p/v) && wipefs $d"},
	{fault.Mount{Volume: thintest.Named("p/v"), Path: "/a b"}, "mount -t thin p/v '/a b'"},
	{fault.Mount{Volume: thintest.Named("p/v"), Path: "/mnt", FSType: "ext4"},
		"mount -t thin.ext4 p/v /mnt"},
	{fault.Unmount{Path: "/a b", Times: 1}, "umount '/a b'"},
	{fault.Unmount{Path: "/mnt", Times: 3}, "umount /mnt (3 times: it has 3 references)"},
	{fault.UnmountElsewhere{Path: "/a b"}, "umount '/a b' there"},
	{fault.RecoverPool{Pool: "demo"}, "thin-snap recover demo"},
	{fault.EndRun{PID: 7}, "wait for its end, or end it: kill 7"},
	{fault.UnmountElsewhere{Path: "/a b", PID: 7}, "nsenter -m -t 7 umount '/a b'"},
	{fault.UnmountByHelper{Path: "/a b"}, "umount.thin '/a b'"},
}

func TestWords(t *testing.T) {
	for _, row := range remedies {
		if got := Words(row.remedy); got != row.want {
			t.Errorf("%#v: %q, want %q", row.remedy, got, row.want)
		}
	}
}

var remedyMethod = regexp.MustCompile(`(?m)^func \((\w+)\) remedy\(\)`)

// Words knows each type of remedy: each one is in the table.
func TestWordsAreAll(t *testing.T) {
	source, err := os.ReadFile("../fault/remedy.go")
	if err != nil {
		t.Fatal(err)
	}
	types := remedyMethod.FindAllSubmatch(source, -1)
	if len(types) < 20 {
		t.Errorf("only %d types were found", len(types))
	}
	listed := map[string]bool{}
	for _, row := range remedies {
		if row.remedy != nil {
			listed[reflect.TypeOf(row.remedy).Name()] = true
		}
	}
	for _, m := range types {
		if name := string(m[1]); !listed[name] {
			t.Errorf("%s is not in the table", name)
		}
	}
}

// Advice returns the outermost remedy of an error. If the error has none, there
// may still be advice for the errno of a file.
func TestAdvice(t *testing.T) {
	inner := &thin.Error{Err: thin.ErrNotFound, Remedy: fault.ListPools{}}
	for _, row := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{thin.ErrBusy, ""},
		{inner, "thin-snap pool list"},
		{&thin.Error{Err: inner, Remedy: fault.ShowPool{Pool: "p"}}, "thin-snap pool show p"},
		{&os.PathError{Op: "open", Path: "/x", Err: unix.EMFILE},
			"raise the limit of open files: ulimit -n 1024"},
	} {
		if got := Advice(row.err); got != row.want {
			t.Errorf("%v: %q, want %q", row.err, got, row.want)
		}
	}
}

// Root pastes these commands into a shell. So a folder's name must not break
// such a command, and must not be run as one.
func TestWordsQuotePaths(t *testing.T) {
	const path, word = "/mnt/a b$(x)", "'/mnt/a b$(x)'"
	for _, row := range remedies {
		kind := reflect.TypeOf(row.remedy)
		if kind == nil || kind.Kind() != reflect.Struct {
			continue
		}
		v := reflect.New(kind).Elem()
		field := v.FieldByName("Path")
		if !field.IsValid() {
			continue
		}
		field.SetString(path)
		got := Words(v.Interface().(thin.Remedy))
		if !strings.Contains(got, word) ||
			strings.Contains(strings.ReplaceAll(got, word, ""), path) {
			t.Errorf("%T: %s", row.remedy, got)
		}
	}
}
