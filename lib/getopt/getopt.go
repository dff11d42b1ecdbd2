// Package getopt walks the arguments of a program as getopt_long(3) does. The
// two helpers of mount(8) and thin-snap share it: mount(8) puts options behind
// the operands, and so do people.
//
// It knows no options itself: the program says of each whether it takes a
// value, which may depend on what came before, as on the name of a command.
package getopt

import (
	"fmt"
	"strings"
)

// Set is what a program does with its arguments, in their order. An error of
// any of the functions ends the walk.
type Set struct {
	// Valued tells whether the option name takes a value, and refuses one that
	// is unknown. name has no hyphen before it: "o", "size". arg is the
	// argument in which it stands, for the message.
	Valued func(name, arg string) (bool, error)
	// Option takes an option, with its value if it takes one.
	Option func(name, value string) error
	// Operand takes an operand.
	Operand func(arg string) error
	// End, if it is not nil, is called at the "--" that ends the options.
	End func()
}

// Walk takes argv, which lacks the program's name: options and operands in any
// order, letters in clusters (-nv), the value of a letter attached (-oro) or in
// the next argument, that of a long name behind "=" or in the next argument.
// Everything after "--" is an operand, and so is "-".
func (s Set) Walk(argv []string) error {
	for ended := false; len(argv) > 0; {
		arg := argv[0]
		argv = argv[1:]
		var err error
		switch {
		case ended || len(arg) < 2 || arg[0] != '-':
			err = s.Operand(arg)
		case arg == "--":
			if ended = true; s.End != nil {
				s.End()
			}
		case arg[1] == '-':
			argv, err = s.long(arg, argv)
		default:
			argv, err = s.cluster(arg, argv)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// long takes --name, --name=value or --name value; rest may lose the value.
func (s Set) long(arg string, rest []string) ([]string, error) {
	name, value, attached := strings.Cut(arg[2:], "=")
	valued, err := s.Valued(name, arg)
	switch {
	case err != nil:
		return rest, err
	case attached && !valued:
		return rest, fmt.Errorf("option --%s takes no value", name)
	case valued && !attached:
		return s.separate(name, arg, rest)
	}
	return rest, s.Option(name, value)
}

// cluster takes -nv, -nvoro or -nvo ro; rest may lose the value.
func (s Set) cluster(arg string, rest []string) ([]string, error) {
	for i := 1; i < len(arg); i++ {
		name, after := arg[i:i+1], arg[i+1:]
		valued, err := s.Valued(name, arg)
		switch {
		case err != nil:
			return rest, err
		case valued && after == "":
			return s.separate(name, arg, rest)
		case valued:
			return rest, s.Option(name, after)
		}
		if err := s.Option(name, ""); err != nil {
			return rest, err
		}
	}
	return rest, nil
}

// separate takes an option whose value is the next argument.
func (s Set) separate(name, arg string, rest []string) ([]string, error) {
	if len(rest) == 0 {
		return rest, fmt.Errorf("option %s needs a value", arg)
	}
	return rest[1:], s.Option(name, rest[0])
}
