package main

import (
	"runtime/debug"
	"testing"
)

func TestVersionOf(t *testing.T) {
	vcs := []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.modified", Value: "true"},
	}
	for _, tt := range []struct {
		override string
		info     debug.BuildInfo
		want     string
	}{
		{"1.2.3", debug.BuildInfo{Main: debug.Module{Version: "v9"}}, "1.2.3"},
		{"", debug.BuildInfo{Main: debug.Module{Version: "v1.0.1"}}, "v1.0.1"},
		{"", debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: vcs},
			"0123456789ab+dirty"},
		{"", debug.BuildInfo{Settings: vcs[:1]}, "0123456789ab"},
		{"", debug.BuildInfo{}, "unknown"},
	} {
		if got := versionOf(tt.override, &tt.info); got != tt.want {
			t.Errorf("versionOf(%q, %v) = %s, want %s", tt.override, tt.info, got, tt.want)
		}
	}
}
