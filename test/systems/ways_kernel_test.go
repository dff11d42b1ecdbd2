//go:build kernel

package systems

import (
	"embed"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

//go:embed testdata
var testdata embed.FS

// feature is one thing that works, and the script that shows it.
type feature struct{ area, title, script string }

// features reads testdata/AREA.sh, where a line "## TITLE" begins each script.
func features(t *testing.T, area string) []feature {
	t.Helper()
	text, err := testdata.ReadFile("testdata/" + area + ".sh")
	if err != nil {
		t.Fatal(err)
	}
	var all []feature
	for _, part := range strings.Split("\n"+string(text), "\n## ")[1:] {
		title, script, _ := strings.Cut(part, "\n")
		// a slash would make a subtest
		all = append(all, feature{area, strings.ReplaceAll(title, "/", "|"), script})
	}
	return all
}

// ways runs the scripts of the areas, each from a clean state and to one.
func ways(t *testing.T, areas ...string) {
	run(t, "thin-snap", "pool", "create", "--size", "4G", "ways")
	run(t, "thin-snap", "create", "--size", "256M", "--fs", "ext4", "ways/v")
	fstab, err := os.ReadFile("/etc/fstab")
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, area := range areas {
		t.Run(area, func(t *testing.T) {
			for _, f := range features(t, area) {
				t.Run(f.title, func(t *testing.T) { f.show(t, fstab) })
			}
		})
	}
	run(t, "thin-snap", "pool", "delete", "-r", "-y", "ways")
}

// show runs the script, and restores what it changed for the next one.
func (f feature) show(t *testing.T, fstab []byte) {
	script(t, f.script)
	if err := os.WriteFile("/etc/fstab", fstab, 0o644); err != nil {
		t.Fatal(err)
	}
	if left := leftOfWays(t); left != "" {
		t.Errorf("left behind:\n%s", left)
		tidy()
	}
}

// script runs lines of shell behind those of prelude.sh.
func script(t *testing.T, text string) {
	t.Helper()
	prelude, err := testdata.ReadFile("testdata/prelude.sh")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte(string(prelude)+text), 0o600); err != nil {
		t.Fatal(err)
	}
	// To a file: a pipe would be waited for until the last process has closed
	// it.
	said, err := os.Create(filepath.Join(t.TempDir(), "said"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd := exec.Command("sh", "-eux", path)
	cmd.Dir, cmd.Stdout, cmd.Stderr = "/", said, said
	if err := cmd.Run(); err != nil {
		out, _ := os.ReadFile(said.Name())
		t.Errorf("%v:\n%s", err, out)
	}
}

// leftOfWays is what there must not be between two scripts.
func leftOfWays(t *testing.T) string {
	const script = `dmsetup info -c --noheadings -o name | grep '^thin-ways@[^@]' || true
findmnt -rn -o SOURCE,TARGET | grep thin-ways || true
grep -s thin /run/mount/utab || true
awk 'NR > 1 {print "semaphore", $2}' /proc/sysvipc/sem
find /run/thin/refs /run/thin/dev -type f -o -type l`
	return run(t, "sh", "-c", script)
}

// tidy lets the next script begin in a clean state after one that failed.
func tidy() {
	exec.Command("sh", "-c", `pkill -x sleep
umount -R /mnt /srv
findmnt -rn -o TARGET,SOURCE | awk '/thin-ways@/ {print $1}' | xargs -r -n1 umount -f
thin-snap recover
thin-snap list -H -o name ways | grep -vx ways/v | xargs -r thin-snap delete -y`).Run()
}

// TestKernelWays shows what works without systemd and udevd.
func TestKernelWays(t *testing.T) { ways(t, "mount", "unmount", "fstab", "tools") }
