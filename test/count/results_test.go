package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestResults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trixie")
	for _, in := range []string{
		">=== PACKAGE b\n>--- FAIL: T (1s)\n>    --- PASS: T/x/it_works (0s)\n" +
			">    --- FAIL: T/x/also (0s)\n>=== PACKAGE-FAIL b\n",
		">=== PACKAGE a\n>--- PASS: U (0s)\n>=== RUN   T\n>=== RUN   T/x/hangs\n",
	} {
		o := options{text: true, results: file, suite: "trixie"}
		if _, _, err := run(o, strings.NewReader(strings.ReplaceAll(in, ">", marker)),
			&bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const want = `fail trixie b T/x/also
pass trixie b T/x/it_works
fail trixie a T/x/hangs
pass trixie a U
`
	if string(got) != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestResultsWantASuite(t *testing.T) {
	for _, o := range []options{{results: "x"}, {suite: "x"}} {
		if _, _, err := run(o, strings.NewReader(""), &bytes.Buffer{}); err == nil {
			t.Errorf("%+v: want an error", o)
		}
	}
}
