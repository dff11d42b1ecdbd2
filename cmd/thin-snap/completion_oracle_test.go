//go:build oracle

package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestOracleCompletion runs the completions in the shells themselves.
func TestOracleCompletion(t *testing.T) {
	testscript.Run(t, scripts(t, "testdata/oracle"))
}
