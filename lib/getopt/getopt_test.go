package getopt

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// walk writes down what a walk takes: the options n, v and quiet, o and size
// with a value.
func walk(argv []string) (taken []string, err error) {
	err = Set{
		Valued: func(name, arg string) (bool, error) {
			switch name {
			case "n", "v", "quiet":
				return false, nil
			case "o", "size":
				return true, nil
			}
			return false, fmt.Errorf("unknown %s in %s", name, arg)
		},
		Option: func(name, value string) error {
			taken = append(taken, name+"="+value)
			return nil
		},
		Operand: func(arg string) error { taken = append(taken, arg); return nil },
	}.Walk(argv)
	return taken, err
}

func TestWalk(t *testing.T) {
	for line, want := range map[string]string{
		"":                       "",
		"p/v /mnt -n -o ro":      "p/v /mnt n= o=ro",
		"-nvoro p/v":             "n= v= o=ro p/v",
		"-nvo ro p/v":            "n= v= o=ro p/v",
		"-o=ro":                  "o==ro",
		"-o -n --size --quiet":   "o=-n size=--quiet",
		"--size=1=2 a --size 2G": "size=1=2 a size=2G",
		"--quiet - -n -- -v --":  "quiet= - n= -v --",
	} {
		taken, err := walk(strings.Fields(line))
		if got := strings.Join(taken, " "); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", line, got, err, want)
		}
	}
	if taken, err := walk([]string{"", "--size=", "-o", ""}); err != nil ||
		!slices.Equal(taken, []string{"", "size=", "o="}) {
		t.Errorf("empty: %q, %v", taken, err)
	}
}

func TestWalkRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"a --frob=1": "unknown frob in --frob=1",
		"-nx":        "unknown x in -nx",
		"-no":        "option -no needs a value",
		"--size":     "option --size needs a value",
		"--quiet=no": "option --quiet takes no value",
	} {
		if _, err := walk(strings.Fields(line)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
	stop := errors.New("stop")
	fail := func() error { return stop }
	for _, s := range []Set{
		{Valued: func(string, string) (bool, error) { return false, nil },
			Option: func(string, string) error { return fail() }},
		{Operand: func(string) error { return fail() }},
	} {
		if err := s.Walk(
			[]string{map[bool]string{true: "-n", false: "a"}[s.Option != nil]}); err != stop {
			t.Errorf("%v", err)
		}
	}
}

// Written in one form, a line is the same again: nothing is lost or made up.
func FuzzWalk(f *testing.F) {
	for _, s := range []string{
		"p/v\n/mnt\n-s\n-o\nrw", "-nvoro\n--\n-x", "--size=\n-", "--\n--", "-\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		collect := func(argv []string) (options, operands []string, err error) {
			err = Set{
				Valued: func(name, _ string) (bool, error) {
					return name == "o" || len(name) > 4, nil
				},
				Option: func(name, value string) error {
					if len(name) == 1 {
						name = "-" + name
					} else {
						name = "--" + name
					}
					if value != "" || name == "-o" || len(name) > 6 {
						options = append(options, name, value)
					} else {
						options = append(options, name)
					}
					return nil
				},
				Operand: func(arg string) error { operands = append(operands, arg); return nil },
			}.Walk(argv)
			return options, operands, err
		}
		options, operands, err := collect(strings.Split(s, "\n"))
		if err != nil || slices.Contains(options, "--") || slices.Contains(options, "---") {
			return // refused, or of a name that is empty or a hyphen
		}
		line := append(append(slices.Clone(options), "--"), operands...)
		again, rest, err := collect(line)
		if err != nil || !slices.Equal(again, options) || !slices.Equal(rest, operands) {
			t.Errorf("%q: %q %q, then %q %q, %v", s, options, operands, again, rest, err)
		}
	})
}
