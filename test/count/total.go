package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
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

// total sums the lines "PASSED FAILED" of -to, and prints the lines that tell
// what failed.
func total(file string, w io.Writer) (passed, failed int, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		if what, ok := strings.CutPrefix(line, failureMark); ok {
			fmt.Fprint(w, "failed: ", what)
			continue
		}
		var p, q int
		if _, err := fmt.Sscanln(line, &p, &q); err != nil {
			return passed, failed, fmt.Errorf("%s: %q: %w", file, line, err)
		}
		passed, failed = passed+p, failed+q
	}
	return passed, failed, nil
}
