//go:build kernel

package e2e

import (
	"regexp"

	"github.com/rogpeppe/go-internal/testscript"
)

func matchLine(ts *testscript.TestScript, pattern, line string) {
	re, err := regexp.Compile(pattern)
	ts.Check(err)
	if !re.MatchString(line) {
		ts.Fatalf("stderr %q does not match %q", line, pattern)
	}
}
