package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// appendTo adds text at the end of the file.
func appendTo(file, text string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// total sums the lines "PASSED FAILED" of -to.
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
