package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// programs are the commands of the project, in the order of the table.
var programs = []string{"mount.thin", "umount.thin", "thin-snap"}

// tags are those of the Makefile: one of them leaves a module out of thin-snap.
const tags = "urfave_cli_no_docs"

// format makes go list print the module of each package, unless it is ours.
const format = "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}"

// module is a module of others that a program links.
type module struct {
	path, version string
	dir           string   // where its source lies
	in            []string // the programs that link it
}

// linked asks the go command for the modules of all programs.
func linked(top string) ([]module, error) {
	found := map[string]*module{}
	for _, program := range programs {
		cmd := exec.Command("go", "list", "-deps", "-tags", tags, "-f", format, "./cmd/"+program)
		cmd.Dir = top
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("go list ./cmd/%s: %w", program, err)
		}
		for line := range strings.Lines(string(out)) {
			f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			if len(f) != 3 {
				continue // a package of the standard library or of our own
			}
			m := found[f[0]]
			if m == nil {
				m = &module{path: f[0], version: f[1], dir: f[2]}
				found[f[0]] = m
			}
			if !slices.Contains(m.in, program) {
				m.in = append(m.in, program)
			}
		}
	}
	var all []module
	for _, m := range found {
		all = append(all, *m)
	}
	slices.SortFunc(all, func(a, b module) int { return cmp.Compare(a.path, b.path) })
	return all, nil
}

// legal are the names of such files, in capitals and without their ending.
var legal = []string{"LICENSE", "LICENCE", "UNLICENSE", "COPYING", "NOTICE"}

// texts reads the files at the top of a module that hold a licence or a notice.
func (m module) texts() ([]string, error) {
	entries, err := os.ReadDir(m.dir)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, e := range entries {
		name, _, _ := strings.Cut(strings.ToUpper(e.Name()), ".")
		if e.IsDir() || !slices.Contains(legal, name) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(m.dir, e.Name()))
		if err != nil {
			return nil, err
		}
		all = append(all, string(text))
	}
	if len(all) == 0 {
		return nil, errors.New(m.path + ": has no file with a licence")
	}
	return all, nil
}
