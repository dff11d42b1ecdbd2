//go:build kernel

package torture

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// boot comes up with the disk as the power left it, looks, and goes down.
func (p *power) boot(t *testing.T) (problems []string) {
	t.Helper()
	if err := os.RemoveAll(runDir); err != nil {
		t.Fatal(err)
	}
	p.loop = strings.TrimSpace(must(t, "losetup", "--find", "--show", p.disk))
	defer func() { run(t, "losetup", "-d", p.loop) }()
	if o := run(t, "mount", "-t", "ext4", p.loop, stateDir); o.code != 0 {
		return []string{"the disk does not mount: " + o.stderr}
	}
	defer func() {
		if o := run(t, "umount", stateDir); o.code != 0 {
			problems = append(problems, "umount: "+o.stderr)
		}
		problems = append(problems, p.left(t)...)
	}()
	there, problems := listed(t)
	problems = append(problems, p.broken(there)...)
	for name := range there {
		if strings.Contains(name, "/") {
			problems = append(problems, p.look(t, name)...)
		}
	}
	if there["t"] {
		for _, argv := range [][]string{
			{"thin-snap", "create", "--size", "16M", "t/after"},
			{"thin-snap", "delete", "-y", "t/after"},
		} {
			problems = append(problems, works(t, argv...)...)
		}
	}
	problems = append(problems, works(t, "thin-snap", "recover")...)
	if again, _ := listed(t); !maps.Equal(again, there) {
		problems = append(problems,
			fmt.Sprintf("after recovery there is %v, before %v", again, there))
	}
	problems = append(problems, works(t, "thin-snap", "pool", "deactivate", "--all")...)
	if len(problems) > 0 {
		return problems
	}
	for name := range there {
		if !strings.Contains(name, "/") {
			problems = append(problems, compareIDs(t, name, &p.Leaked)...)
		}
	}
	return problems
}

// look mounts a volume, reads what was fsynced in it, and checks its
// filesystem.
func (p *power) look(t *testing.T, name string) (problems []string) {
	dir := filepath.Join(p.dir, "look")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if problems := works(t, "mount.thin", name, dir, "-o", "rw"); problems != nil {
		return problems
	}
	for file, size := range p.promises[name].files {
		if b, err := os.ReadFile(filepath.Join(dir, file)); err != nil ||
			string(b) != string(content(file, size)) {
			problems = append(problems,
				fmt.Sprintf("%s: the file %s: %d bytes, of %d that were fsynced: %v", name, file,
					len(b), size, err))
		}
	}
	for _, argv := range [][]string{
		{"umount.thin", dir},
		{"thin-snap", "activate", name},
		{"e2fsck", "-fn", "/dev/mapper/thin-" + strings.Replace(name, "/", "@", 1)},
		{"thin-snap", "deactivate", name},
	} {
		problems = append(problems, works(t, argv...)...)
	}
	return problems
}

// listed are the names of the pools and volumes that there are.
func listed(t *testing.T) (names map[string]bool, problems []string) {
	names = map[string]bool{}
	for _, argv := range [][]string{
		{"thin-snap", "pool", "list", "--json"}, {"thin-snap", "list", "--json"},
	} {
		o := run(t, argv...)
		var all struct{ Pools, Volumes []struct{ Name string } }
		if err := json.Unmarshal([]byte(o.stdout), &all); err != nil || o.code != 0 {
			problems = append(problems,
				fmt.Sprintf("%v: exit status %d: %s: %v", argv, o.code, o.stderr, err))
		}
		for _, x := range append(all.Pools, all.Volumes...) {
			names[x.Name] = true
		}
	}
	return names, problems
}

// left is what the boot has left behind, but for files.
func (p *power) left(t *testing.T) []string {
	t.Helper()
	return leftSince(t, p.clean,
		func(line string) bool {
			return strings.HasPrefix(line, "file ") || line == "loop "+p.disk
		})
}

// raze clears away what the commands could not.
func (p *power) raze(t *testing.T) {
	clearAway(t, filepath.Join(p.dir, "look"), stateDir)
}
