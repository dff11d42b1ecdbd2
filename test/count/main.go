package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	text := flag.Bool("text", false, "the input is the output of test binaries, not JSON")
	to := flag.String("to", "", "add the numbers to this `file`")
	sum := flag.String("total", "", "print the sum over this `file`, and read nothing else")
	flag.Parse()
	passed, failed, err := run(*text, *to, *sum, os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "count:", err)
		os.Exit(2)
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 || passed == 0 {
		os.Exit(1)
	}
}

func run(text bool, to, sum string, r io.Reader, w io.Writer) (passed, failed int, err error) {
	if sum != "" {
		return total(sum)
	}
	read := readJSON
	if text {
		read = readText
	}
	t, err := read(r, w)
	if err != nil {
		return 0, 0, err
	}
	passed, failed = t.count()
	if to != "" {
		err = add(to, passed, failed)
	}
	return passed, failed, err
}
