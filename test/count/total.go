package main

import (
	"fmt"
	"io"
	"os"
)

// add appends a line "PASSED FAILED" to the file.
func add(file string, passed, failed int) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, passed, failed)
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// total sums the lines that add wrote.
func total(file string) (passed, failed int, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	for {
		var p, q int
		n, err := fmt.Fscanln(f, &p, &q)
		if n == 0 && err == io.EOF {
			return passed, failed, nil
		}
		if err != nil {
			return passed, failed, fmt.Errorf("%s: %w", file, err)
		}
		passed, failed = passed+p, failed+q
	}
}
