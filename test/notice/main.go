// Notice writes NOTICE: the modules of others that the three programs link,
// with the names and the texts of their licences. It asks the go command which
// modules these are, and finds their licences in the module cache.
//
//	notice [-check] [-file FILE]
//
// With -check the file stays as it is, and exit status 1 says that it is
// another one. A licence that the program does not know is an error.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	check := flag.Bool("check", false, "only compare the file with the modules")
	file := flag.String("file", "NOTICE", "the `file` to write")
	flag.Parse()
	if err := run(".", *file, *check); err != nil {
		fmt.Fprintln(os.Stderr, "notice:", err)
		os.Exit(1)
	}
}

// run writes or checks the file, for the module whose source is in top.
func run(top, file string, check bool) error {
	modules, err := linked(top)
	if err != nil {
		return err
	}
	text, err := notice(modules)
	if err != nil {
		return err
	}
	if !check {
		return os.WriteFile(file, []byte(text), 0o644)
	}
	now, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if string(now) != text {
		return errors.New(file + ": is not what the programs link; `make notice` writes it")
	}
	return nil
}
