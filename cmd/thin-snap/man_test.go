package main

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/columns"
)

func manPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../man/thin-snap.8")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// manItems returns, for each subsection, what pattern finds in the items of its
// lists.
func manItems(page string, pattern *regexp.Regexp) map[string][]string {
	items := map[string][]string{}
	section := ""
	for line := range strings.Lines(page) {
		if name, ok := strings.CutPrefix(line, ".Ss "); ok {
			section = strings.TrimSpace(name)
		}
		if !strings.HasPrefix(line, ".It ") {
			continue
		}
		for _, m := range pattern.FindAllStringSubmatch(line, -1) {
			items[section] = append(items[section], m[1])
		}
	}
	return items
}

func flagNames(flags []cli.Flag) []string {
	var names []string
	for _, f := range flags {
		names = append(names, f.Names()...)
	}
	return names
}

// sameSet reports what only the page or only the program has.
func sameSet(t *testing.T, what string, page, program []string) {
	t.Helper()
	for _, p := range program {
		if !slices.Contains(page, p) {
			t.Errorf("%s: the page lacks %s", what, p)
		}
	}
	for _, p := range page {
		if !slices.Contains(program, p) {
			t.Errorf("%s: the program has no %s", what, p)
		}
	}
}

func TestManFlags(t *testing.T) {
	page := manItems(manPage(t), regexp.MustCompile(`\bFl -?([A-Za-z-]+)`))
	app := newApp(&env{})
	listing := flagNames(listFlags())
	sameSet(t, "Global options", page["Global options"],
		append(flagNames(app.Flags), cli.HelpFlag.Names()...))
	sameSet(t, "Listing options", page["Listing options"], listing)
	sections := []string{"Global options", "Listing options"}
	walk(app.Commands, "", func(path string, c *cli.Command) {
		names := flagNames(c.Flags)
		if slices.Contains(names, "no-headings") {
			names = slices.DeleteFunc(names,
				func(n string) bool { return slices.Contains(listing, n) })
		}
		sameSet(t, path, page[path], names)
		sections = append(sections, path)
	})
	for section := range maps.Keys(page) {
		if !slices.Contains(sections, section) {
			t.Errorf("options in section %q, which is no command's", section)
		}
	}
}

func TestManColumns(t *testing.T) {
	page := manItems(manPage(t), regexp.MustCompile(`^\.It Cm (\S+)`))
	var volumes, pools []string
	for _, c := range columns.Volumes("").Columns {
		volumes = append(volumes, c.Name)
	}
	for _, c := range columns.Pools("").Columns {
		pools = append(pools, c.Name)
	}
	sameSet(t, "columns of volumes", page["Columns of volumes"], volumes)
	sameSet(t, "columns of pools", page["Columns of pools"], pools)
}

// TestManSynopsis compares the SYNOPSIS of the page with the usage lines of
// --help, word by word.
func TestManSynopsis(t *testing.T) {
	_, rest, _ := strings.Cut(manPage(t), ".Sh SYNOPSIS\n")
	source, _, _ := strings.Cut(rest, ".Sh ")
	var page []string
	for entry := range strings.SplitSeq(source, ".Nm\n") {
		if entry != "" {
			page = append(page, "thin-snap "+flattenMdoc(entry))
		}
	}
	app := newApp(&env{})
	program := []string{app.UsageText}
	walk(app.Commands, "", func(_ string, c *cli.Command) {
		if len(c.Subcommands) == 0 {
			program = append(program, strings.Split(c.UsageText, "\n")...)
		}
	})
	sameSet(t, "SYNOPSIS", page, program)
}

// flattenMdoc writes the macros of a SYNOPSIS in the way of --help.
func flattenMdoc(source string) string {
	var words []string
	for line := range strings.Lines(source) {
		line, optional := strings.CutPrefix(strings.TrimSpace(line), ".Op ")
		macro, glue := "", false
		var out string
		for word := range strings.FieldsSeq(strings.TrimPrefix(line, ".")) {
			switch word {
			case "Fl", "Ar", "Cm":
				macro = word
				continue
			case "Pp":
				continue
			case "Ns":
				glue = true
				continue
			}
			if macro == "Ar" && word != "|" {
				word = strings.ToUpper(word)
			}
			if macro == "Fl" && word != "|" {
				word = "-" + word
			}
			if out != "" && !glue && word != "..." {
				out += " "
			}
			out, glue = out+word, false
		}
		if optional {
			out = "[" + out + "]"
		}
		if out != "" {
			words = append(words, out)
		}
	}
	return strings.Join(words, " ")
}
