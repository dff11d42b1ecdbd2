// Package permute puts the options of a command line before its operands.
package permute

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/getopt"
)

// Line puts the options of a command line before its operands, and gives
// each option its long name. Without it, urfave/cli v2 takes everything behind
// the first operand as operands: `thin-snap create demo/base --size 2G` would
// silently lose its size. lib/getopt reads the line, as it does for the two
// helpers. The permuter adds to which command or program an option belongs, and
// the error for one that is unknown.
func Line(app *cli.App, args []string) ([]string, error) {
	p := &permuter{levels: []level{{flags: app.Flags, commands: app.Commands}}}
	err := getopt.Set{Valued: p.valued, Option: p.option, Operand: p.operand, End: p.end}.
		Walk(args[1:])
	if wrong := (*usage.Error)(nil); err != nil && !errors.As(err, &wrong) {
		err = &usage.Error{Message: err.Error()}
	}
	if err != nil {
		return nil, err
	}
	if p.help {
		p.last().options = append(p.last().options, "--help")
	}
	return p.args(args[0]), nil
}

// level is the program or one of the commands below it, with the options that
// belong to it.
type level struct {
	name     string
	flags    []cli.Flag
	commands []*cli.Command
	options  []string
}

type permuter struct {
	levels   []level
	operands []string
	help     bool // the word help stands for a command, or before one
}

func (p *permuter) last() *level { return &p.levels[len(p.levels)-1] }

// operand takes arg as the name of a command if the last command has commands
// below it, and as an operand otherwise.
func (p *permuter) operand(arg string) error {
	if len(p.last().commands) == 0 {
		p.operands = append(p.operands, arg)
		return nil
	}
	for _, c := range p.last().commands {
		if c.HasName(arg) {
			p.levels = append(p.levels,
				level{name: c.Name, flags: c.Flags, commands: c.Subcommands})
			return nil
		}
	}
	if arg == "help" {
		p.help = true
		return nil
	}
	return &usage.Error{Message: "unknown command " + strconv.Quote(arg), Hint: p.meant(arg)}
}

// end keeps the "--" before the command line of another program, so that a
// forgotten one is noticed: the other program's options would be ours.
func (p *permuter) end() {
	if p.last().name == "run" {
		p.operands = append(p.operands, "--")
	}
}

// othersWords are words of other programs for which a letter or two do not lead
// to ours, and what does here what they do there.
var othersWords = map[string]string{
	"destroy": "thin-snap delete", "remove": "thin-snap delete", "move": "thin-snap rename",
	"mkfs": "thin-snap format", "info": "thin-snap show", "status": "thin-snap show",
	"inherit": "thin-snap unset", "version": "thin-snap --version",
	"mount": "mount -t thin POOL/VOLUME DIR", "umount": "umount DIR", "unmount": "umount DIR",
}

// meant returns a hint for a command that does not exist.
func (p *permuter) meant(arg string) string {
	see := "see " + p.path() + " --help"
	if meant, ok := othersWords[arg]; ok {
		pool := strings.HasPrefix(meant, "thin-snap ") && len(p.levels) > 1
		words := strings.Fields(meant)
		if !pool {
			return "did you mean " + meant + "; " + see
		}
		for _, c := range p.last().commands {
			if c.HasName(words[len(words)-1]) {
				return "did you mean " + p.path() + " " + c.Name + "; " + see
			}
		}
		return see
	}
	names := []string{"help"}
	for _, c := range p.last().commands {
		names = append(names, c.Names()...)
	}
	return usage.DidYouMean(arg, names, p.path()+" ", see)
}

func (p *permuter) valued(name, arg string) (bool, error) {
	f, _ := p.find(name)
	if f == nil {
		return false, p.unknown(arg)
	}
	return takesValue(f), nil
}

func (p *permuter) option(name, value string) error {
	f, at := p.find(name)
	o := "--" + f.Names()[0]
	if takesValue(f) {
		if value == "" { // as from an unset variable in a script
			return &usage.Error{
				Message: "option " + o + ": its value is empty",
				Hint:    "leave the option out to have the default",
			}
		}
		o += "=" + value
	}
	p.levels[at].options = append(p.levels[at].options, o)
	return nil
}

// find looks for an option in the last command, then in those above it. --help
// always belongs to the last command.
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
	see := "see " + p.path() + " --help"
	e := &usage.Error{Message: "unknown option " + arg, Hint: see}
	if f, _ := p.find(name); f != nil && len(name) > 1 {
		e.Hint = "did you mean --" + name
	} else if len(p.levels) == 1 && anyHas(p.last().commands, name) {
		e.Hint = "options of a command stand after it"
	} else if strings.HasPrefix(arg, "--") {
		var names []string
		for _, l := range p.levels {
			for _, f := range l.flags {
				names = append(names, f.Names()[0])
			}
		}
		e.Hint = usage.DidYouMean(name, append(names, "help"), "--", see)
	}
	return e
}

// anyHas reports whether one of the commands, or of those below them, has the
// option.
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

// args returns the whole line in its new order.
func (p *permuter) args(program string) []string {
	// --version stands for a command, wherever in the line it is.
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
