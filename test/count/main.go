package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// options are the flags.
type options struct {
	text           bool
	to, sum        string
	results, suite string
}

func main() {
	var o options
	flag.BoolVar(&o.text, "text", false, "the input is the output of test binaries, not JSON")
	flag.StringVar(&o.to, "to", "", "add the numbers to this `file`")
	flag.StringVar(&o.sum, "total", "", "print the sum over this `file`, and read nothing else")
	flag.StringVar(&o.results, "results", "", "add a line for each test case to this `file`")
	flag.StringVar(&o.suite, "suite", "", "the `name` of the suite in these lines")
	flag.Parse()
	passed, failed, err := run(o, os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "count:", err)
		os.Exit(2)
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 || passed == 0 {
		os.Exit(1)
	}
}

func run(o options, r io.Reader, w io.Writer) (passed, failed int, err error) {
	if o.sum != "" {
		return total(o.sum, w)
	}
	if (o.results == "") != (o.suite == "") {
		return 0, 0, errors.New("-results and -suite: one does not go without the other")
	}
	read := readJSON
	if o.text {
		read = readText
	}
	t, err := read(r, w)
	if err != nil {
		return 0, 0, err
	}
	passed, failed = t.count()
	if o.to != "" {
		err = appendTo(o.to, fmt.Sprintln(passed, failed)+t.complaints())
	}
	if o.results != "" {
		err = errors.Join(err, appendTo(o.results, t.results(o.suite)))
	}
	return passed, failed, err
}
