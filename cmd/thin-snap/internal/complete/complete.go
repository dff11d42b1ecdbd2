// Package complete finds what a shell may offer for the next word of a command
// line. It reads the table of commands: their names, their flags, and the names
// that the usage gives to values and operands. So a new command is completed
// without a line in here, unless it has values of a new kind.
package complete

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// Offer is what a shell may offer.
type Offer struct {
	Candidates []Candidate
	Files      bool // paths, too
	Dirs       bool // paths of folders, too
	Unfinished bool // no space after the word: something is to follow
	Program    int  // the line of another program begins at this word; 0: none
}

// Candidate is a word, with what it means or "".
type Candidate struct{ Word, Help string }

// String is what the completions in contrib/completion read: a word and what it
// means in each line, with a tab between them. A line that begins with a colon
// tells the shell to offer files or dirs as well, to put nospace behind the
// word, or that the line of another program begins at the word of this number,
// from 0 on.
func (o Offer) String() string {
	var b strings.Builder
	for _, directive := range []struct {
		name string
		on   bool
	}{{"files", o.Files}, {"dirs", o.Dirs}, {"nospace", o.Unfinished}} {
		if directive.on {
			b.WriteString(":" + directive.name + "\n")
		}
	}
	if o.Program > 0 {
		fmt.Fprintf(&b, ":program %d\n", o.Program)
	}
	for _, c := range o.Candidates {
		b.WriteString(strings.TrimSuffix(c.Word+"\t"+c.Help, "\t") + "\n")
	}
	return b.String()
}

// Line finds what may stand for the last of words, which are those after the
// program's name and a --. bash hands over --flag=value in three words: then it
// is the part after = that is offered.
func Line(app *cli.App, words []string, n Names) Offer {
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	if len(words) == 0 {
		words = []string{""}
	}
	l := &line{app: app, names: n, commands: app.Commands, flags: app.Flags}
	words, cut := joined(words)
	last := len(words) - 1
	for i, w := range words[:last] {
		if l.read(w) && l.program() {
			return Offer{Program: i + 1 + cut}
		}
	}
	o := l.offer(words[last])
	if cut > 0 && strings.HasPrefix(words[last], "--") {
		for i, c := range o.Candidates {
			_, o.Candidates[i].Word, _ = strings.Cut(c.Word, "=")
		}
	}
	return o
}

// joined puts --flag, = and value together. It returns how many words are gone.
func joined(words []string) (all []string, cut int) {
	for i := 0; i < len(words); i++ {
		w := words[i]
		if w == "=" && len(all) > 0 && strings.HasPrefix(all[len(all)-1], "--") {
			all[len(all)-1] += "="
			cut++
			if i+1 < len(words) {
				i++
				all[len(all)-1] += words[i]
				cut++
			}
			continue
		}
		all = append(all, w)
	}
	return all, cut
}

// line is how far a line has been read.
type line struct {
	app      *cli.App
	names    Names
	path     []string // names of the command, without aliases
	command  *cli.Command
	commands []*cli.Command
	flags    []cli.Flag
	help     bool // the words of help are commands
	operands []string
	value    cli.Flag // its value is the next word
	end      bool     // behind --
}

// read takes a word that is complete. It returns true for --, behind which
// there are operands alone.
func (l *line) read(w string) (end bool) {
	switch {
	case l.value != nil:
		l.value = nil
	case l.end:
		l.operands = append(l.operands, w)
	case w == "--":
		l.end = true
		return true
	case strings.HasPrefix(w, "-") && w != "-":
		l.option(w)
	case len(l.commands) > 0:
		l.enter(w)
	default:
		l.operands = append(l.operands, w)
	}
	return false
}

// option takes a word of options: --name, --name=value, or letters.
func (l *line) option(w string) {
	name := strings.TrimPrefix(w, "--")
	if name == w {
		name = w[len(w)-1:] // the last of the letters may have a value
	}
	if f := l.flag(name); f != nil && takesValue(f) {
		l.value = f
	}
}

// enter takes a word as the name of a command.
func (l *line) enter(w string) {
	if w == "help" && len(l.operands) == 0 {
		l.help = true
		return
	}
	at := slices.IndexFunc(l.commands, func(c *cli.Command) bool { return c.HasName(w) })
	if at < 0 {
		l.commands, l.command = nil, &cli.Command{}
		return
	}
	l.command = l.commands[at]
	l.path = append(l.path, l.command.Name)
	l.commands = l.command.Subcommands
	l.flags = append(slices.Clip(l.command.Flags), l.app.Flags...)
}

func (l *line) flag(name string) cli.Flag {
	at := slices.IndexFunc(l.flags,
		func(f cli.Flag) bool { return slices.Contains(f.Names(), name) })
	if at < 0 {
		return nil
	}
	return l.flags[at]
}

func takesValue(f cli.Flag) bool {
	d, ok := f.(cli.DocGenerationFlag)
	return ok && d.TakesValue()
}

// program tells whether the line of another program follows --.
func (l *line) program() bool {
	return l.command != nil && strings.Contains(l.command.UsageText, " -- ")
}

// offer finds what may stand for the word w.
func (l *line) offer(w string) Offer {
	name, value, assigned := strings.Cut(strings.TrimPrefix(w, "--"), "=")
	switch f := l.flag(name); {
	case l.value != nil:
		return l.kind(valueName(l.value), w)
	case l.help:
		return Offer{Candidates: l.commandNames(w)}
	case !l.end && assigned && strings.HasPrefix(w, "--") && f != nil:
		l.value = f
		o := l.kind(valueName(f), value)
		for i := range o.Candidates {
			o.Candidates[i].Word = "--" + name + "=" + o.Candidates[i].Word
		}
		return o
	case !l.end && strings.HasPrefix(w, "-"):
		return Offer{Candidates: l.flagNames(w)}
	case len(l.commands) > 0:
		return Offer{Candidates: append(l.commandNames(w), begins(w, Candidate{"help",
			"print help on a command"})...)}
	case l.command == nil:
		return Offer{}
	}
	var all Offer
	for _, kind := range l.operandNames(len(l.operands)) {
		all.add(l.kind(kind, w))
	}
	return all
}

// add joins what may stand in one place.
func (o *Offer) add(more Offer) {
	if len(more.Candidates) > 0 {
		o.Unfinished = more.Unfinished && (o.Unfinished || len(o.Candidates) == 0)
	}
	o.Candidates = append(o.Candidates, more.Candidates...)
	o.Files = o.Files || more.Files
	o.Dirs = o.Dirs || more.Dirs
}

// begins returns those of the candidates that begin with w.
func begins(w string, all ...Candidate) []Candidate {
	return slices.DeleteFunc(all, func(c Candidate) bool { return !strings.HasPrefix(c.Word, w) })
}

func (l *line) commandNames(w string) []Candidate {
	var all []Candidate
	for _, c := range l.commands {
		for _, name := range c.Names() {
			all = append(all, Candidate{name, c.Usage})
		}
	}
	return begins(w, all...)
}

// flagNames are the long names of the flags.
func (l *line) flagNames(w string) []Candidate {
	all := []Candidate{{"--help", "print help"}}
	for _, f := range l.flags {
		d, ok := f.(cli.DocGenerationFlag)
		if !ok || f.Names()[0] == "version" && l.command != nil {
			continue
		}
		for _, name := range f.Names() {
			if len(name) > 1 {
				all = append(all, Candidate{"--" + name, strings.ReplaceAll(d.GetUsage(), "`", "")})
			}
		}
	}
	return begins(w, all...)
}
