package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	check := flag.Bool("check", false, "only compare the table with the results")
	dir := flag.String("results", "bin/results", "`folder` with a file of results for each suite")
	doc := flag.String("doc", document, "the `file` with the table")
	flag.Parse()
	if err := run(*dir, *doc, *check); err != nil {
		fmt.Fprintln(os.Stderr, "features:", err)
		os.Exit(1)
	}
}

// document has the table in the source tree.
const document = "docs/compatibility.md"

func run(dir, doc string, check bool) error {
	all, err := load(dir)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return fmt.Errorf("%s: no result of a test named TestBoot1/AREA/WHAT", dir)
	}
	text, err := os.ReadFile(doc)
	if err != nil {
		return err
	}
	now, err := replace(string(text), all.table())
	if err != nil {
		return fmt.Errorf("%s: %w", doc, err)
	}
	switch {
	case now == string(text):
		return nil
	case check:
		fmt.Print(difference(string(text), now))
		return errors.New(doc + ": the table is not what the tests say; `make features` writes it")
	}
	return os.WriteFile(doc, []byte(now), 0o644)
}
