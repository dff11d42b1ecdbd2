// Package helper is what mount.thin and umount.thin share: the protocol by
// which mount(8) and umount(8) call their helpers. It parses arguments itself:
// a command-line library would cost the two more start-up time than all of
// their other work in user space, and expects options before operands. It also
// has the words for what helps against an error, which thin-snap shares.
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
	Values   map[byte]string // -o, -t, -N; of several -o all, joined by commas
}

// Parse splits argv (without the program's name) into options and operands, in any
// order (lib/getopt): util-linux 2.40.3 puts the options first, all others put them
// last. flags are the letters without a value, valued those with one. An unknown
// option is an error, and so is an empty operand, which an unset variable of a
// script leaves.
func Parse(argv []string, flags, valued string) (Args, error) {
	a := Args{Flags: map[byte]bool{}, Values: map[byte]string{}}
	isIn := func(name, letters string) bool { return len(name) == 1 && strings.Contains(letters, name) }
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

// wants reports whether --help or --version (-V, -h) stands among argv: a
// person asks, not mount(8).
func wants(argv []string, names ...string) bool {
	return slices.ContainsFunc(argv, func(a string) bool { return slices.Contains(names, a) })
}
