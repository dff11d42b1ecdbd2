package complete

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// valueName is the name of a flag's value: the word in backquotes in its usage.
func valueName(f cli.Flag) string {
	d, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return ""
	}
	_, rest, _ := strings.Cut(d.GetUsage(), "`")
	name, _, _ := strings.Cut(rest, "`")
	return name
}

// kind finds what may stand for w where a usage has name.
func (l *line) kind(name, w string) Offer {
	switch name {
	case "POOL", "NAME":
		if l.command != nil && l.command.Name == "create" || l.value != nil {
			return Offer{} // a name that is to be made
		}
		return Offer{Candidates: begins(w, words(l.names.pools())...)}
	case "POOL/VOLUME", "POOL/ORIGIN", "POOL/OLD", "SNAPSHOT":
		if l.command != nil && l.command.Name == "create" {
			return l.kind("NEW", w)
		}
		return Offer{Candidates: begins(w, words(l.names.volumes())...)}
	case "NEW":
		return unfinished(w, l.names.pools(), "/")
	case "KEY":
		return Offer{Candidates: begins(w, words(l.keys())...)}
	case "KEY=VALUE":
		return unfinished(w, l.keys(), "=")
	case "COLUMN":
		return Offer{Candidates: begins(w, words(l.names.columns(l.path))...)}
	case "COLUMN=VALUE":
		return unfinished(w, l.names.columns(l.path), "=")
	case "COLUMNS":
		before := w[:strings.LastIndexByte(w, ',')+1]
		all := words(l.names.columns(l.path))
		for i := range all {
			all[i].Word = before + all[i].Word
		}
		return Offer{Candidates: begins(w, all...)}
	case "DEVICE":
		return Offer{Files: true}
	case "DIR":
		return Offer{Dirs: true}
	}
	o := Offer{Candidates: begins(w, words(l.names.values[name])...)}
	o.Unfinished = len(o.Candidates) > 0 && !slices.ContainsFunc(o.Candidates,
		func(c Candidate) bool { return !strings.HasSuffix(c.Word, "=") })
	return o
}

// keys are the keys of the volume on the line.
func (l *line) keys() []string {
	if len(l.operands) == 0 {
		return nil
	}
	keys := l.names.keys(l.operands[0])
	if l.command.Name == "get" { // it knows columns, too
		keys = append(keys, l.names.columns([]string{"list"})...)
	}
	return keys
}

func words(all []string) (found []Candidate) {
	for _, w := range all {
		found = append(found, Candidate{Word: w})
	}
	return found
}

// unfinished are words to which something is to be added behind end.
func unfinished(w string, all []string, end string) Offer {
	found := words(all)
	for i := range found {
		found[i].Word += end
	}
	return Offer{Candidates: begins(w, found...), Unfinished: true}
}

// operandNames are the names that the command's usage has for its operand
// number n, from 0 on: of a usage with [POOL | POOL/VOLUME...] two. An operand
// with ... may be repeated, before the next one.
func (l *line) operandNames(n int) (names []string) {
	for i, o := range operandsOf(l.command, l.path) {
		if i < n && !o.repeated {
			continue
		}
		names = append(names, o.names...)
		if !o.repeated {
			break
		}
	}
	return names
}

// operand is what a usage says of one operand.
type operand struct {
	names    []string
	repeated bool
}

// operandsOf reads the operands out of a command's usage, the last line of it
// that has any:
//
//	thin-snap get [-Hjp] [-o COLUMNS] POOL/VOLUME [KEY...]
func operandsOf(c *cli.Command, path []string) (all []operand) {
	for _, usage := range strings.Split(c.UsageText, "\n") {
		usage, _, _ = strings.Cut(usage, " -- ")
		var found []operand
		fields := strings.Fields(usage)
		for _, group := range groups(fields[min(1+len(path), len(fields)):]) {
			if o, ok := readOperand(c, group); ok {
				found = append(found, o)
			}
		}
		if len(found) > 0 {
			all = found
		}
	}
	return all
}

// groups puts together the words of a usage that are one thing: those in
// brackets, an option and its value, and those with | between them.
func groups(fields []string) (all [][]string) {
	depth, join := 0, false
	for _, f := range fields {
		if depth == 0 && !join && f != "|" || len(all) == 0 {
			all = append(all, nil)
		}
		last := &all[len(all)-1]
		*last = append(*last, f)
		depth += strings.Count(f, "[") - strings.Count(f, "]")
		join = f == "|"
	}
	return all
}

// readOperand reads a group of a usage. A group that has an option in brackets,
// or is the value of one, is no operand.
func readOperand(c *cli.Command, group []string) (o operand, ok bool) {
	if strings.HasPrefix(group[0], "[-") {
		return o, false
	}
	for _, w := range group {
		bare := strings.Trim(w, "[]")
		o.repeated = o.repeated || strings.HasSuffix(bare, "...")
		for _, name := range strings.Split(strings.TrimSuffix(bare, "..."), "|") {
			if name != "" && !strings.HasPrefix(name, "-") && !strings.HasPrefix(name, "+") {
				o.names = append(o.names, name)
			}
		}
	}
	isValue := len(o.names) == 1 && slices.ContainsFunc(c.Flags, func(f cli.Flag) bool {
		return takesValue(f) && valueName(f) == o.names[0]
	})
	return o, len(o.names) > 0 && !isValue
}
