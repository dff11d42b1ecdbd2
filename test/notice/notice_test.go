package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCurrent wants that NOTICE names what the programs link.
func TestCurrent(t *testing.T) {
	// The go command keeps a test's result while the files that the test itself
	// has read stay as they are: another module changes this one.
	if _, err := os.ReadFile("../../go.mod"); err != nil {
		t.Fatal(err)
	}
	if err := run("../..", "../../NOTICE", true); err != nil {
		t.Error(err)
	}
}

func TestLicence(t *testing.T) {
	for text, want := range map[string]string{
		"  Apache License\n  Version 2.0, January 2004\n": "Apache-2.0",
		"Redistribution and use in source\nand binary forms, with or without\n" +
			" * Neither the name of": "BSD-3-Clause",
		"Redistribution and use in source\nand binary forms, with or without": "BSD-2-Clause",
		"MIT\n\nPermission is hereby granted, free of\n" +
			"charge, to any person obtaining a copy of this": "MIT",
		"This is free and unencumbered software released into the public domain.": "Unlicense",
		"Permission to use, copy, modify, and/or distribute this software for any purpose is " +
			"hereby given": "ISC",
		"All rights reserved.": "",
	} {
		if got := licence(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// source makes the folder of a module.
func source(t *testing.T, path string, files map[string]string) module {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return module{path: path, version: "v1.0.0", dir: dir, in: []string{"thin-snap"}}
}

const free = "This is free and unencumbered software\nreleased into the public domain.\n"

// TestNotice wants each text once, and the modules that have it above it.
func TestNotice(t *testing.T) {
	a := source(t, "a.example/a", map[string]string{
		"LICENSE.txt": free, "NOTICE": "Made by A.\n", "README": "no licence",
	})
	b := source(t, "b.example/b", map[string]string{
		"UNLICENSE": strings.ReplaceAll(free, "\n", " \n"),
	})
	got, err := notice([]module{a, b})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{
		"a.example/a  v1.0.0  Unlicense  thin-snap\n": 1,
		"b.example/b  v1.0.0  Unlicense  thin-snap\n": 1,
		free: 1, "a.example/a\nb.example/b\n": 1, "Made by A.\n": 1, "no licence": 0,
	} {
		if n := strings.Count(got, text); n != want {
			t.Errorf("%q is there %d times, want %d:\n%s", text, n, want, got)
		}
	}
}

func TestNoticeRefuses(t *testing.T) {
	for what, files := range map[string]map[string]string{
		"no licence":         {"README": free},
		"an unknown licence": {"LICENSE": "All rights reserved.\n"},
		"a notice alone":     {"NOTICE": "Made by A.\n"},
	} {
		if got, err := notice([]module{source(t, "a.example/a", files)}); err == nil {
			t.Errorf("%s: want an error, got %s", what, got)
		}
	}
}
