package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for _, c := range []struct {
		name           string
		in             string // > at the start of a line stands for the marker
		passed, failed int
	}{
		{"nothing", "", 0, 0},
		{"one", ">=== PACKAGE a\n>=== RUN   TestA\n>--- PASS: TestA (0.01s)\nPASS\n", 1, 0},
		{"two packages, same name",
			">=== PACKAGE a\n>--- PASS: T (0.0s)\n>=== PACKAGE b\n>--- FAIL: T (0.0s)\n" +
				">=== PACKAGE-FAIL b\n", 1, 1},
		{"heading is no case",
			">=== PACKAGE a\n>--- PASS: T (1s)\n>    --- PASS: T/x (0s)\n>    --- PASS: T/y (0s)\n",
			2, 0},
		{"subtest fails",
			">=== PACKAGE a\n>--- FAIL: T (1s)\n>    --- PASS: T/x (0s)\n>    --- FAIL: T/y (0s)\n",
			1, 1},
		{"heading fails alone", ">=== PACKAGE a\n>--- FAIL: T (1s)\n>    --- PASS: T/x (0s)\n", 1,
			1},
		{"deep",
			">=== PACKAGE a\n>--- FAIL: T (1s)\n>    --- FAIL: T/x (0s)\n" +
				">        --- FAIL: T/x/y (0s)\n", 0, 1},
		{"died in a test", ">=== PACKAGE a\n>=== RUN   T\npanic: x\n>=== PACKAGE-FAIL a\n", 0, 1},
		{"died in the last test", ">=== PACKAGE a\n>=== RUN   T\n>=== RUN   T/x\n", 0, 1},
		{"left something", ">=== PACKAGE a\n>=== RUN   T\n>--- PASS: T (0s)\n>=== PACKAGE-FAIL a\n",
			1, 1},
		{"guest died", ">=== PACKAGE-FAIL guest-x\n", 0, 1},
		{"skip is failure", ">=== PACKAGE a\n>--- SKIP: T (0s)\n", 0, 1},
		{"what a test prints",
			">=== PACKAGE a\n>=== RUN   T\n--- FAIL: T (0s)\n=== RUN   U\n>--- PASS: T (0s)\n", 1,
			0},
		{"no newline before the marker", ">=== PACKAGE a\n>=== RUN   T\nwords>--- PASS: T (0s)\n",
			1, 0},
		{"subtest of spaces",
			">=== PACKAGE a\n>=== RUN   T/a_b\n>    --- PASS: T/a_b (0s)\n>--- PASS: T (0s)\n", 1,
			0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			got, err := readText(strings.NewReader(strings.ReplaceAll(c.in, ">", marker)), &out)
			if err != nil {
				t.Fatal(err)
			}
			if p, f := got.count(); p != c.passed || f != c.failed {
				t.Errorf("%d passed, %d failed; want %d, %d", p, f, c.passed, c.failed)
			}
			if want := strings.ReplaceAll(c.in, ">", ""); out.String() != want {
				t.Errorf("showed %q, want %q", out.String(), want)
			}
		})
	}
}

func TestTextShows(t *testing.T) {
	var out bytes.Buffer
	in := "words" + marker + "=== NAME  T\n" + marker + "=== NAME  \nmore\n" + marker +
		"--- PASS: T (0s)\n"
	if _, err := readText(strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	if want := "words\nmore\n--- PASS: T (0s)\n"; out.String() != want {
		t.Errorf("showed %q, want %q", out.String(), want)
	}
}

func TestJSON(t *testing.T) {
	const bad = `{"Action":"start","Package":"a"}
{"Action":"run","Package":"a","Test":"T"}
{"Action":"output","Package":"a","Test":"T","Output":"    said before it failed\n"}
{"Action":"fail","Package":"a","Test":"T","Elapsed":0.1}
{"Action":"output","Package":"a","Output":"FAIL\n"}
{"Action":"fail","Package":"a","Elapsed":0.2}
`
	for _, c := range []struct {
		name, in, shows string
		passed, failed  int
	}{
		{"pass", `{"Action":"pass","Package":"a","Test":"T","Elapsed":0}
{"Action":"pass","Package":"a","Elapsed":0.3}
`, "ok   a (0.3 s)\n", 1, 0},
		{"fail", bad, "    said before it failed\nFAIL\nFAIL a (0.2 s)\n", 0, 1},
		{"no tests", `{"Action":"skip","Package":"a","Elapsed":0}`, "", 0, 0},
		{"skipped test", `{"Action":"skip","Package":"a","Test":"T","Elapsed":0}`, "", 0, 1},
		{"does not build", `{"ImportPath":"a","Action":"build-output","Output":"a.go:1: no\n"}
{"Action":"fail","Package":"a","Elapsed":0,"FailedBuild":"a"}
`, "a.go:1: no\nFAIL a (0.0 s)\n", 0, 1},
		{"crash", `{"Action":"run","Package":"a","Test":"T"}
{"Action":"fail","Package":"a","Elapsed":0}
`, "FAIL a (0.0 s)\n", 0, 1},
		{"cut off", `{"Action":"run","Package":"a","Test":"T"}
`, "", 0, 1},
		{"not an event", "go: cannot find main module\n", "go: cannot find main module\n", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			got, err := readJSON(strings.NewReader(c.in), &out)
			if err != nil {
				t.Fatal(err)
			}
			if p, f := got.count(); p != c.passed || f != c.failed {
				t.Errorf("%d passed, %d failed; want %d, %d", p, f, c.passed, c.failed)
			}
			if out.String() != c.shows {
				t.Errorf("showed %q, want %q", out.String(), c.shows)
			}
		})
	}
}

func TestTotal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "totals")
	in := marker + "=== PACKAGE a\n" + marker + "--- PASS: T (0s)\n" + marker +
		"=== RUN   U\n    x_test.go:7: no\n" +
		marker + "--- FAIL: U (0s)\n"
	for range 2 {
		if _, _, err := run(options{text: true, to: file}, strings.NewReader(in),
			&bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if p, f, err := run(options{sum: file}, nil, &out); p != 2 || f != 2 || err != nil {
		t.Errorf("%d passed, %d failed, %v; want 2, 2", p, f, err)
	}
	if want := strings.Repeat("failed: a U: x_test.go:7: no\n", 2); out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}

func TestTotalRefusesWhatItDidNotWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "totals")
	for _, text := range []string{"1 x\n", "7\n", "words\n", "1 2 3\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if p, f, err := total(file, &bytes.Buffer{}); err == nil {
			t.Errorf("%q: %d passed, %d failed, want an error", text, p, f)
		}
	}
	if _, _, err := total(file+"x", &bytes.Buffer{}); err == nil {
		t.Error("no file: want an error")
	}
}

func FuzzText(f *testing.F) {
	f.Add(marker + "=== PACKAGE a\n" + marker + "=== RUN   T/x\n" + marker + "--- FAIL: T/x (0s)\n")
	f.Fuzz(func(t *testing.T, in string) {
		got, err := readText(strings.NewReader(in), &bytes.Buffer{})
		if err != nil {
			t.Fatal(err)
		}
		if p, n := got.count(); p < 0 || n < 0 {
			t.Errorf("%d passed, %d failed", p, n)
		}
	})
}
