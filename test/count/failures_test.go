package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestFailures(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"a script",
			">=== PACKAGE e\n>=== RUN   T/x\n        > exec false\n        [exit status 1]\n" +
				"        FAIL: testdata/script/x.txtar:3: unexpected command failure\n" +
				">    --- FAIL: T/x (1s)\n>--- FAIL: T (1s)\n",
			"! e T/x: FAIL: testdata/script/x.txtar:3: unexpected command failure\n"},
		{"a test before it complained",
			">=== PACKAGE a\n>=== RUN   T\n    x_test.go:1: hint\n>--- PASS: T (0s)\n" +
				">=== RUN   U\n>--- FAIL: U (0s)\n",
			"! a U\n"},
		{"died in a test", ">=== PACKAGE a\n>=== RUN   T\n>=== PACKAGE-FAIL a\n", "! a T\n"},
		{"left something", ">=== PACKAGE a\n>--- PASS: T (0s)\n>=== PACKAGE-FAIL a\n", "! a\n"},
		{"none", ">=== PACKAGE a\n>--- PASS: T (0s)\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readText(strings.NewReader(strings.ReplaceAll(c.in, ">", marker)),
				&bytes.Buffer{})
			if err != nil {
				t.Fatal(err)
			}
			if out := got.complaints(); out != strings.ReplaceAll(c.want, ">", marker) {
				t.Errorf("%q, want %q", out, c.want)
			}
		})
	}
}

func TestFailuresOfEvents(t *testing.T) {
	const in = `{"Action":"run","Package":"a","Test":"T"}
{"Action":"output","Package":"a","Test":"T","Output":"    x_test.go:9: no\n"}
{"Action":"fail","Package":"a","Test":"T","Elapsed":0.1}
{"Action":"fail","Package":"a","Elapsed":0.2}
`
	got, err := readJSON(strings.NewReader(in), &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	if out, want := got.complaints(), "! a T: x_test.go:9: no\n"; out != want {
		t.Errorf("%q, want %q", out, want)
	}
}
