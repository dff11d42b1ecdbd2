package arch

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
	"testing"
)

const module = "thinmount/"

// rooms are the packages between the parts and the programs, the lowest first.
var rooms = []string{
	"lib/fault", "lib/dmname", "lib/host", "lib/health", "lib/backing", "lib/registry",
	"lib/engine", "lib/check", "lib/volumes", "lib/mounting", "lib/running", "lib/pools",
	"lib/inspect",
	"lib/thin", "lib/helper",
}

// layer says how high a package stands: it may import those below alone.
func layer(pkg string) int {
	switch pkg {
	case "lib/crc32c": // arithmetic, which serves packages of the base, too
		return -1
	case "lib/atomicfile", "lib/dm", "lib/filelock", "lib/fstype",
		"lib/getopt", "lib/jsonfile", "lib/kmsg", "lib/mountinfo", "lib/plain", "lib/privdir",
		"lib/slotfile", "lib/spec":
		return 0
	case "lib/thintest": // serves tests alone
		return 2 + slices.Index(rooms, "lib/health")
	}
	if i := slices.Index(rooms, pkg); i >= 0 {
		return 2 + i
	}
	if strings.HasPrefix(pkg, "lib/") {
		return 1 // a part, which knows no other part
	}
	if i := slices.Index(inside, pkg); i >= 0 {
		return 2 + len(rooms) + i
	}
	return 2 + len(rooms) + len(inside)
}

// inside are the packages of thin-snap alone, the lowest first.
var inside = []string{
	"cmd/thin-snap/internal/usage", "cmd/thin-snap/internal/permute",
	"cmd/thin-snap/internal/amount",
	"cmd/thin-snap/internal/bars", "cmd/thin-snap/internal/table",
	"cmd/thin-snap/internal/columns", "cmd/thin-snap/internal/complete",
	"cmd/thin-snap/internal/family", "cmd/thin-snap/internal/choose",
	"cmd/thin-snap/internal/findings", "cmd/thin-snap/internal/say",
	"cmd/thin-snap/internal/signals", "cmd/thin-snap/internal/fail",
}

// commandsCall are the packages that a command may import; lib/freeze, lib/job
// and lib/reexec for the program itself, started once more.
var commandsCall = map[string]bool{
	"lib/thin": true, "lib/helper": true, "lib/getopt": true, "lib/plain": true,
	"lib/fstype": true,
	"lib/freeze": true, "lib/reexec": true, "lib/job": true,
}

// upward returns the imports of a file that lead up or sideways.
func upward(s source) (found []string) {
	if s.test() || s.outside() {
		return nil // a test may hold parts beside each other
	}
	for _, i := range s.imports() {
		to, ours := strings.CutPrefix(i, module)
		if !ours {
			continue
		}
		if layer(to) >= layer(s.pkg()) || strings.HasPrefix(s.pkg(), "cmd/") &&
			!commandsCall[to] && !slices.Contains(inside, to) {
			found = append(found, fmt.Sprintf("%s imports %s", s.path, to))
		}
	}
	return found
}

// only maps what few packages may import to those packages.
var only = map[string][]string{
	"unsafe":   {"lib/dm", "lib/loop"},
	"os/exec":  {"lib/mkfs", "lib/systemd", "lib/thincheck"},
	"plugin":   {},
	"net/http": {},
	"C":        {},
	"github.com/urfave/cli/v2": {"cmd/thin-snap", "cmd/thin-snap/internal/complete",
		"cmd/thin-snap/internal/permute"},
	"github.com/vbauerster/mpb/v8": {"cmd/thin-snap", "cmd/thin-snap/internal/bars"},
}

// reserved returns the imports of a file that are kept for other packages.
func reserved(s source) (found []string) {
	if s.test() || s.outside() {
		return nil
	}
	for _, i := range s.imports() {
		for what, pkgs := range only {
			if (i == what || strings.HasPrefix(i, what+"/")) && !slices.Contains(pkgs, s.pkg()) {
				found = append(found, fmt.Sprintf("%s imports %s", s.path, i))
			}
		}
	}
	return found
}

// starts are the calls that start a program by another way than os/exec.
var starts = map[string]bool{"StartProcess": true, "ForkExec": true, "Exec": true}

// lowLevel returns calls that start programs, and ioctls, outside of the
// packages that are for it.
func lowLevel(s source) (found []string) {
	if s.test() || s.outside() {
		return nil
	}
	s.selectors(func(x, name string, n ast.Node) {
		switch {
		case starts[name] && (x == "os" || x == "syscall" || x == "unix") &&
			s.pkg() != "lib/freeze" && s.pkg() != "lib/reexec" && s.pkg() != "lib/job",
			(name == "SYS_IOCTL" || strings.HasPrefix(name, "Ioctl")) && s.pkg() != "lib/dm" &&
				s.pkg() != "lib/loop":
			found = append(found, fmt.Sprintf("%s: %s.%s", s.at(n), x, name))
		}
	})
	return found
}

// environment are the packages that may ask the environment, and why: nothing
// that comes from there says where state lies or which program runs.
var environment = map[string]string{
	"lib/dm":  "THIN_DEBUG, which only prints",
	"lib/job": "it is the environment of the program that a user runs, with its PATH",
}

// asksEnvironment returns the places that read environment variables, or pass
// them on, outside of those.
func asksEnvironment(s source) (found []string) {
	if s.test() || s.outside() || environment[s.pkg()] != "" {
		return nil
	}
	s.selectors(func(x, name string, n ast.Node) {
		switch {
		case (x == "os" || x == "syscall" || x == "unix") &&
			slices.Contains([]string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"}, name),
			x == "os" && slices.Contains(
				[]string{"TempDir", "UserHomeDir", "UserCacheDir", "UserConfigDir"}, name),
			x == "exec" && name == "LookPath":
			found = append(found, fmt.Sprintf("%s: %s.%s", s.at(n), x, name))
		}
	})
	ast.Inspect(s.file, func(n ast.Node) bool { // a flag of cli with a variable as its default
		if kv, ok := n.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "EnvVars" {
				found = append(found, s.at(n)+": EnvVars")
			}
		}
		return true
	})
	return found
}

// linked returns the modules of others that end up in the program pkg.
func linked(all []source, pkg string) map[string]bool {
	found, seen := map[string]bool{}, map[string]bool{}
	var visit func(string)
	visit = func(pkg string) {
		if seen[pkg] {
			return
		}
		seen[pkg] = true
		for _, s := range all {
			if s.pkg() != pkg || s.test() {
				continue
			}
			for _, i := range s.imports() {
				if to, ours := strings.CutPrefix(i, module); ours {
					visit(to)
				} else {
					found[i] = true
				}
			}
		}
	}
	visit(pkg)
	return found
}

func TestHouseLayers(t *testing.T) {
	for _, s := range tree(t) {
		for _, check := range []func(source) []string{upward, reserved, lowLevel, asksEnvironment} {
			for _, problem := range check(s) {
				t.Error(problem)
			}
		}
	}
}

func TestHouseHelpersAreSmall(t *testing.T) {
	all := tree(t)
	for _, program := range []string{"cmd/mount.thin", "cmd/umount.thin"} {
		links := linked(all, program)
		if len(links) == 0 {
			t.Errorf("%s: not found", program)
		}
		for i := range links {
			if strings.Contains(i, "urfave/cli") || strings.Contains(i, "vbauerster/mpb") ||
				strings.Contains(i, "progressbar") {
				t.Errorf("%s links %s", program, i)
			}
		}
	}
}
