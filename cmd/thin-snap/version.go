package main

import (
	"cmp"
	"runtime/debug"
)

// The linker sets version when a package is built from a tarball: -X
// main.version=1.2.3
var version string

// programVersion returns the linker's version, or else what the go command has
// noted about the source.
func programVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return cmp.Or(version, "unknown")
	}
	return versionOf(version, info)
}

func versionOf(override string, info *debug.BuildInfo) string {
	if override != "" {
		return override
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	var revision, dirty string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	return cmp.Or(revision, "unknown") + dirty
}
