// Report makes tables, verdicts and pictures of what bench/runner measured.
//
//	report -suite NAME [-counts DIR] [-to DIR] FILE.csv
//
// It writes NAME.md, and one.svg, grown.svg and jobs.svg if the CSV has what
// they show, and prints the verdicts.
//
//	bounds.go    what is to be reached, and whether it is
//	tables.go    the report, in Markdown
//	picture.go   the pictures
//	svg.go       bars, and lines over a logarithmic scale
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"thinmount/bench/counts"
	"thinmount/bench/sample"
)

func main() {
	suite := flag.String("suite", "", "name of the report")
	to := flag.String("to", ".", "folder for the report")
	tables := flag.String("counts", "", "folder with tables of counted calls, NAME.tsv")
	flag.Parse()
	if err := report(*suite, *to, *tables, flag.Arg(0)); err != nil {
		fmt.Fprintf(os.Stderr, "report: %v\n", err)
		os.Exit(1)
	}
}

func report(suite, to, tables, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	run, err := sample.Read(f)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	m := measured{Run: run}
	if text, err := os.ReadFile(filepath.Join(tables, suite+".tsv")); err == nil {
		if m.counts, err = counts.ParseTable(string(text)); err != nil {
			return err
		}
	}
	for _, v := range m.verdicts() {
		fmt.Println(v)
	}
	files := map[string]string{suite + ".md": m.markdown(suite)}
	for name, draw := range map[string]func() string{"one.svg": m.drawOne, "grown.svg": m.drawGrown,
		"jobs.svg": m.drawJobs} {
		if picture := draw(); picture != "" {
			files[name] = picture
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(to, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
