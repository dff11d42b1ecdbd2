package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

// permute puts the options of a command line before its operands, because urfave/cli stops at the first operand and takes what
// follows as operands, silently. On the way it splits -Hp into -H -p and -oname into -o name, gives every option its long name, and
// refuses unknown ones. After "--" everything is an operand. Options of the program itself may stand anywhere.
func permute(app *cli.App, args []string) ([]string, error) {
	p := &permuter{levels: []level{{flags: app.Flags, commands: app.Commands}}}
	rest := args[1:]
	if len(rest) > 0 && rest[0] == "help" {
		rest = append(slices.Clone(rest[1:]), "--help")
	}
	for len(rest) > 0 {
		var err error
		if rest, err = p.next(rest); err != nil {
			return nil, err
		}
	}
	return p.args(args[0]), nil
}

// level is the program, or one command below it, with the options that go to it.
type level struct {
	name     string
	flags    []cli.Flag
	commands []*cli.Command
	options  []string
}

type permuter struct {
	levels   []level
	operands []string
	ended    bool
}

func (p *permuter) last() *level { return &p.levels[len(p.levels)-1] }

// next takes one argument, with its value if it is an option that has one, and returns those after it.
func (p *permuter) next(args []string) ([]string, error) {
	arg, rest := args[0], args[1:]
	switch {
	case p.ended || arg == "-" || !strings.HasPrefix(arg, "-"):
		return rest, p.operand(arg)
	case arg == "--":
		p.ended = true
		return rest, nil
	case strings.HasPrefix(arg, "--"):
		name, value, attached := strings.Cut(arg[2:], "=")
		return p.option(arg, name, value, attached, rest)
	}
	return p.bundle(arg, rest)
}

// operand descends into a command as long as there are commands below; then it is an operand.
func (p *permuter) operand(arg string) error {
	if len(p.last().commands) == 0 {
		p.operands = append(p.operands, arg)
		return nil
	}
	for _, c := range p.last().commands {
		if c.HasName(arg) {
			p.levels = append(p.levels, level{name: c.Name, flags: c.Flags, commands: c.Subcommands})
			return nil
		}
	}
	return &usageError{message: "unknown command " + strconv.Quote(arg), hint: "see " + p.path() + " --help"}
}

// bundle takes -Hp and -oname apart.
func (p *permuter) bundle(arg string, rest []string) ([]string, error) {
	letters := arg[1:]
	for i := range letters {
		f, _ := p.find(letters[i : i+1])
		if f == nil {
			return nil, p.unknown(arg)
		}
		if takesValue(f) {
			return p.option(arg, letters[i:i+1], letters[i+1:], i+1 < len(letters), rest)
		}
		if _, err := p.option(arg, letters[i:i+1], "", false, nil); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// option takes one option, and its value from rest unless that is attached.
func (p *permuter) option(arg, name, value string, attached bool, rest []string) ([]string, error) {
	f, at := p.find(name)
	if f == nil {
		return nil, p.unknown(arg)
	}
	if takesValue(f) && !attached {
		if len(rest) == 0 {
			return nil, usagef("option %s needs a value", arg)
		}
		value, rest, attached = rest[0], rest[1:], true
	}
	if takesValue(f) && value == "" { // as an unset variable leaves it: what is meant cannot be the default
		return nil, &usageError{message: "option --" + f.Names()[0] + ": its value is empty", hint: "leave the option out to have the default"}
	}
	o := "--" + f.Names()[0]
	if attached {
		o += "=" + value
	}
	if !takesValue(f) && attached {
		return nil, usagef("option --%s takes no value", name)
	}
	p.levels[at].options = append(p.levels[at].options, o)
	return rest, nil
}

// find looks an option up in the command, then in what stands above it. Help is always the command's own.
func (p *permuter) find(name string) (cli.Flag, int) {
	if slices.Contains(cli.HelpFlag.Names(), name) {
		return cli.HelpFlag, len(p.levels) - 1
	}
	for i := len(p.levels) - 1; i >= 0; i-- {
		for _, f := range p.levels[i].flags {
			if slices.Contains(f.Names(), name) {
				return f, i
			}
		}
	}
	return nil, 0
}

func (p *permuter) unknown(arg string) error {
	name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	e := &usageError{message: "unknown option " + arg, hint: "see " + p.path() + " --help"}
	if f, _ := p.find(name); f != nil && len(name) > 1 {
		e.hint = "did you mean --" + name
	} else if len(p.levels) == 1 && anyHas(p.last().commands, name) {
		e.hint = "options of a command stand after it"
	}
	return e
}

// anyHas tells whether one of the commands, or of those below them, knows an option.
func anyHas(commands []*cli.Command, option string) bool {
	return slices.ContainsFunc(commands, func(c *cli.Command) bool {
		known := func(f cli.Flag) bool { return slices.Contains(f.Names(), option) }
		return slices.ContainsFunc(c.Flags, known) || anyHas(c.Subcommands, option)
	})
}

func (p *permuter) path() string {
	s := "thin-snap"
	for _, l := range p.levels[1:] {
		s += " " + l.name
	}
	return s
}

// args is the whole line in its new order.
func (p *permuter) args(program string) []string {
	// The version is asked for instead of a command, wherever it is asked.
	if slices.Contains(p.levels[0].options, "--version") {
		return []string{program, "--version"}
	}
	out := append([]string{program}, p.levels[0].options...)
	for _, l := range p.levels[1:] {
		out = append(append(out, l.name), l.options...)
	}
	if len(p.operands) > 0 {
		out = append(append(out, "--"), p.operands...)
	}
	return out
}

func takesValue(f cli.Flag) bool {
	d, ok := f.(cli.DocGenerationFlag)
	return ok && d.TakesValue()
}
