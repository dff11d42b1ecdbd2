package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
)

// licences are known by words that stand in their texts. The first that has all
// its words there is the licence.
var licences = []struct {
	name  string // as https://spdx.org/licenses has it
	words []string
}{
	{"Apache-2.0", []string{"Apache License", "Version 2.0"}},
	{"BSD-3-Clause",
		[]string{"Redistribution and use in source and binary forms", "Neither the name"}},
	{"BSD-2-Clause", []string{"Redistribution and use in source and binary forms"}},
	{"ISC", []string{"Permission to use, copy, modify, and/or distribute"}},
	{"MIT",
		[]string{"Permission is hereby granted, free of charge, to any person obtaining a copy"}},
	{"Unlicense",
		[]string{"This is free and unencumbered software released into the public domain"}},
}

// licence names the licence of a text, or returns "".
func licence(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	for _, l := range licences {
		if !slices.ContainsFunc(l.words,
			func(w string) bool { return !strings.Contains(text, w) }) {
			return l.name
		}
	}
	return ""
}

// The programs contain Go's runtime and standard library, too. Their text is
// that of golang.org/x/sys, which has the same authors.
const (
	goName  = "the Go runtime and standard library"
	goTwins = "golang.org/x/sys"
)

// rule stands between two texts.
var rule = strings.Repeat("-", 79) + "\n"

// runs are blanks and line ends, in which equal licences differ.
var runs = regexp.MustCompile(`\s+`)

// notice is the content of NOTICE: a table, and each text once.
func notice(modules []module) (string, error) {
	var table, body strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	var order []string           // the texts, without what equal ones differ in
	first := map[string]string{} // as they stand in the module's file
	of := map[string][]string{}  // the modules that have it
	for _, m := range modules {
		texts, err := m.texts()
		if err != nil {
			return "", err
		}
		var names []string
		for _, text := range texts {
			if name := licence(text); name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
			key := strings.TrimSpace(runs.ReplaceAllString(text, " "))
			if first[key] == "" {
				order, first[key] = append(order, key), text
			}
			of[key] = append(of[key], m.path)
			if m.path == goTwins {
				of[key] = append(of[key], goName)
			}
		}
		if len(names) == 0 {
			return "", errors.New(m.path + ": its licence is not known")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n",
			m.path, m.version, strings.Join(names, ", "), strings.Join(m.in, ", "))
	}
	if err := w.Flush(); err != nil {
		return "", err
	}
	body.WriteString("The programs of thinmount contain these modules of others, and " +
		goName + ".\nThe licences follow below. `make notice` writes this file.\n\n")
	body.WriteString(table.String())
	for _, key := range order {
		body.WriteString("\n" + rule + strings.Join(of[key], "\n") + "\n" + rule + "\n")
		for line := range strings.Lines(strings.Trim(first[key], "\n")) {
			body.WriteString(strings.TrimRight(line, " \t\r\n") + "\n")
		}
	}
	return body.String(), nil
}
