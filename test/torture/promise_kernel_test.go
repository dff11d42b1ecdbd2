//go:build kernel

package torture

import (
	"bytes"
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// promise is what the commands so far have said about a pool or a volume.
type promise struct {
	gone  bool           // it must not be there
	open  bool           // a command that makes or removes it has not come back: either will do
	files map[string]int // name to size: fsynced in the volume
}

// promises are by name: POOL or POOL/VOLUME. A name that is not there was never
// used.
//
// The marks that make them: try=NAME, made=NAME, made=NAME<ORIGIN, drop=NAME,
// gone=NAME, file=NAME:FILE:SIZE.
type promises map[string]promise

// keep takes a mark in.
func (p promises) keep(mark string) error {
	what, name, _ := strings.Cut(mark, "=")
	switch what {
	case "try":
		p[name] = promise{open: true}
	case "made":
		name, origin, _ := strings.Cut(name, "<")
		p[name] = promise{files: maps.Clone(p[origin].files)}
	case "drop":
		p[name] = promise{open: true, files: p[name].files}
	case "gone":
		p[name] = promise{gone: true}
	case "file":
		f := strings.Split(name, ":")
		size, err := strconv.Atoi(f[len(f)-1])
		if err != nil || len(f) != 3 {
			return fmt.Errorf("mark %q is none of ours", mark)
		}
		files := maps.Clone(p[f[0]].files)
		if files == nil {
			files = map[string]int{}
		}
		files[f[1]] = size
		p[f[0]] = promise{files: files}
	}
	return nil
}

// broken holds the promises against what there is.
func (p promises) broken(there map[string]bool) (problems []string) {
	for name, one := range p {
		if !one.gone && !one.open && !there[name] {
			problems = append(problems, name+": is lost; it was there when the power went")
		}
	}
	for name := range there {
		if one, known := p[name]; !known || one.gone {
			problems = append(problems, name+": is there; it was gone when the power went")
		}
	}
	return problems
}

// content is what the file of a name holds.
func content(name string, size int) []byte {
	line := []byte("this is " + name + "\n")
	return bytes.Repeat(line, size/len(line)+1)[:size]
}
