// Package helper is what mount.thin and umount.thin share: the protocol by
// which mount(8) and umount(8) call their helpers. It parses arguments itself:
// a command-line library would cost the two more start-up time than all of
// their other work in user space, and expects options before operands.
package helper

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Args are the parsed arguments of a helper.
type Args struct {
	Operands []string        // SPEC and DIR, or DIR
	Flags    map[byte]bool   // -f, -n, …
	Values   map[byte]string // -o, -t, -N; of several -o all, joined by commas
}

// Parse splits argv (without the program's name) as getopt(3) does: options
// and operands in any order, flags in clusters (-nv), a value attached or not,
// "--" ends the options. util-linux 2.40.3 put the options first, all others
// put them last. An unknown option is an error, and so is an empty operand, which
// an unset variable of a script leaves.
func Parse(argv []string, flags, valued string) (Args, error) {
	a := Args{Flags: map[byte]bool{}, Values: map[byte]string{}}
	for len(argv) > 0 {
		arg := argv[0]
		argv = argv[1:]
		if arg == "--" {
			a.Operands = append(a.Operands, argv...)
			break
		}
		if len(arg) < 2 || arg[0] != '-' {
			a.Operands = append(a.Operands, arg)
			continue
		}
		var err error
		if argv, err = a.cluster(arg[1:], argv, flags, valued); err != nil {
			return a, err
		}
	}
	if slices.Contains(a.Operands, "") {
		return a, errors.New("an operand is empty")
	}
	return a, nil
}

// cluster takes the options of one argument; rest may lose a value.
func (a *Args) cluster(letters string, rest []string, flags, valued string) ([]string, error) {
	for i := 0; i < len(letters); i++ {
		c := letters[i]
		switch {
		case strings.IndexByte(flags, c) >= 0:
			a.Flags[c] = true
		case strings.IndexByte(valued, c) >= 0:
			value := letters[i+1:]
			if value == "" {
				if len(rest) == 0 {
					return rest, fmt.Errorf("option -%c: a value is missing", c)
				}
				value, rest = rest[0], rest[1:]
			}
			if value == "" && c == 'N' {
				return rest, errors.New("option -N: its value is empty")
			}
			a.setValue(c, value)
			return rest, nil
		default:
			return rest, fmt.Errorf("option -%c: unknown", c)
		}
	}
	return rest, nil
}

func (a *Args) setValue(c byte, value string) {
	if before := a.Values[c]; c == 'o' && before != "" {
		value = before + "," + value
	}
	a.Values[c] = value
}

// Wants reports whether --help or --version (-V, -h) stands among argv: a
// person asks, not mount(8).
func Wants(argv []string, names ...string) bool {
	return slices.ContainsFunc(argv, func(a string) bool { return slices.Contains(names, a) })
}
