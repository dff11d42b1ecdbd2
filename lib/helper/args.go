// Package helper holds what mount.thin and umount.thin share: the protocol by
// which mount(8) and umount(8) call their helpers. It parses arguments itself.
// A command-line library would cost the two programs more start-up time than
// all of their other work in user space, and it expects options before
// operands. The package also puts into words what helps against an error
// (Words); thin-snap uses these words, too.
package helper

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"thinmount/lib/getopt"
)

// Args are the parsed arguments of a helper.
type Args struct {
	Operands []string        // SPEC and DIR, or DIR
	Flags    map[byte]bool   // -f, -n, …
	Values   map[byte]string // -o, -t, -N; several -o are joined by commas
}

// Parse splits argv (without the program's name) into options and operands,
// which may come in any order (lib/getopt): util-linux 2.40.3 puts the options
// first, all other versions put them last. flags are the letters of options
// without a value, valued those of options with one. Parse refuses an unknown
// option. It also refuses an empty operand, which an unset variable of a script
// leaves.
func Parse(argv []string, flags, valued string) (Args, error) {
	a := Args{Flags: map[byte]bool{}, Values: map[byte]string{}}
	isIn := func(name, letters string) bool {
		return len(name) == 1 && strings.Contains(letters, name)
	}
	err := getopt.Set{
		Valued: func(name, arg string) (bool, error) {
			if strings.HasPrefix(arg, "--") || !isIn(name, flags+valued) {
				return false, fmt.Errorf("option %s: unknown", arg)
			}
			return isIn(name, valued), nil
		},
		Option: func(name, value string) error {
			if isIn(name, flags) {
				a.Flags[name[0]] = true
				return nil
			}
			if value == "" && name == "N" {
				return errors.New("option -N: its value is empty")
			}
			a.setValue(name[0], value)
			return nil
		},
		Operand: func(arg string) error {
			a.Operands = append(a.Operands, arg)
			return nil
		},
	}.Walk(argv)
	if err == nil && slices.Contains(a.Operands, "") {
		err = errors.New("an operand is empty")
	}
	return a, err
}

func (a *Args) setValue(c byte, value string) {
	if before := a.Values[c]; c == 'o' && before != "" {
		value = before + "," + value
	}
	a.Values[c] = value
}

// wants says whether argv has one of names, which are the names of --help or
// --version. Then a person has called the program, not mount(8).
func wants(argv []string, names ...string) bool {
	return slices.ContainsFunc(argv, func(a string) bool { return slices.Contains(names, a) })
}
