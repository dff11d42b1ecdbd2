package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"thinmount/cmd/thin-snap/internal/permute"
	"thinmount/cmd/thin-snap/internal/usage"
)

func TestPermute(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"list", "list"},
		{"list demo -H", "list --no-headings -- demo"},
		{"list -Hp demo -o name x", "list --no-headings --parsable --columns=name -- demo x"},
		{"list -Hpo name", "list --no-headings --parsable --columns=name"},
		{"list -oname -s=size", "list --columns=name --sort==size"},
		{"list --columns=name,size --noheadings", "list --columns=name,size --no-headings"},
		{"list -o --json", "list --columns=--json"},
		{"create demo/base --size 2G", "create --size=2G -- demo/base"},
		{"create --size 2G -- -x --size", "create --size=2G -- -x --size"},
		{"-- create demo/base", "create -- demo/base"},
		{"create - demo", "create -- - demo"},
		{"create demo/x --debug -vq", "--debug --verbose --quiet create -- demo/x"},
		{"pool --debug list -Hv", "--debug --verbose pool list --no-headings"},
		{"pool create demo --help", "pool create --help -- demo"},
		{"pool -h create", "pool --help create"},
		{"snap demo/a b", "snapshot -- demo/a b"},
		{"help", "--help"},
		{"help pool create", "pool create --help"},
		{"pool help", "pool --help"},
		{"pool help create", "pool create --help"},
		{"--debug help list", "--debug list --help"},
		{"help mv", "rename --help"},
		{"ls", "list"}, {"rm demo/a", "delete -- demo/a"}, {"mv demo/a b", "rename -- demo/a b"},
		{"clone demo/a b", "snapshot -- demo/a b"},
		{"run demo/a -- x -n", "run -- demo/a -- x -n"}, {"run -- -x --", "run -- -- -x --"},
		{"pool ls", "pool list"}, {"pool rm demo", "pool delete -- demo"},
		{"pool show help", "pool show -- help"},
		{"pool delete yes -y", "pool delete --yes -- yes"},
		{"-V", "--version"},
		{"list demo -V", "--version"},
	} {
		got, err := permute.Line(newApp(&env{}),
			append([]string{"thin-snap"}, strings.Fields(tt.in)...))
		if want := append([]string{"thin-snap"}, strings.Fields(tt.want)...); err != nil ||
			!slices.Equal(got, want) {
			t.Errorf("permute.Line(%s) = %q, %v, want %q", tt.in, got, err, want)
		}
	}
}

func TestPermuteRefuses(t *testing.T) {
	for _, tt := range []struct{ in, want, hint string }{
		{"list --frob", "unknown option --frob", "see thin-snap list --help"},
		{"list --frob=1", "unknown option --frob=1", "see thin-snap list --help"},
		{"list -Hz", "unknown option -Hz", "see thin-snap list --help"},
		{"pool create -size 1G x", "unknown option -size", "did you mean --size"},
		{"--hlep", "unknown option --hlep", "did you mean --help; see thin-snap --help"},
		{"list --sotr name", "unknown option --sotr",
			"did you mean --sort; see thin-snap list --help"},
		{"pool create --block-szie 1M x", "unknown option --block-szie",
			"did you mean --block-size; see thin-snap pool create --help"},
		{"delte demo/a", `unknown command "delte"`,
			"did you mean thin-snap delete; see thin-snap --help"},
		{"help delte", `unknown command "delte"`,
			"did you mean thin-snap delete; see thin-snap --help"},
		{"destroy demo/a", `unknown command "destroy"`,
			"did you mean thin-snap delete; see thin-snap --help"},
		{"mount demo/a /mnt", `unknown command "mount"`,
			"did you mean mount -t thin POOL/VOLUME DIR; see thin-snap --help"},
		{"pool destroy demo", `unknown command "destroy"`,
			"did you mean thin-snap pool delete; see thin-snap pool --help"},
		{"pool mkfs demo", `unknown command "mkfs"`, "see thin-snap pool --help"},
		{"pool lsit", `unknown command "lsit"`,
			"did you mean thin-snap pool list; see thin-snap pool --help"},
		{"--json list", "unknown option --json", "options of a command stand after it"},
		{"create demo/x --size", "option --size needs a value", ""},
		{"list -Ho", "option -Ho needs a value", ""},
		{"create demo/x --size=", "option --size: its value is empty",
			"leave the option out to have the default"},
		{"pool create demo --dir=", "option --dir: its value is empty",
			"leave the option out to have the default"},
		{"list --json=yes", "option --json takes no value", ""},
		{"frob --json", `unknown command "frob"`, "see thin-snap --help"},
		{"pool frob", `unknown command "frob"`, "see thin-snap pool --help"},
	} {
		_, err := permute.Line(newApp(&env{}),
			append([]string{"thin-snap"}, strings.Fields(tt.in)...))
		var wrong *usage.Error
		if !errors.As(err, &wrong) || wrong.Message != tt.want || wrong.Hint != tt.hint {
			t.Errorf("permute.Line(%s) = %#v, want %q, %q", tt.in, err, tt.want, tt.hint)
		}
	}
}

// TestPermuteKeeps shuffles lines. It wants the operands to keep their order,
// nothing lost, and a line that is in order unchanged.
func TestPermuteKeeps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{
			"a", "b/c", "-H", "-p", "-o x", "--sort y", "--debug", "-S=z",
		})
		var line, operands []string
		for _, w := range rapid.SliceOf(word).Draw(t, "words") {
			line = append(line, strings.Fields(w)...)
			if w[0] != '-' {
				operands = append(operands, w)
			}
		}
		got, err := permute.Line(newApp(&env{}), append([]string{"thin-snap", "list"}, line...))
		if err != nil {
			t.Fatal(err)
		}
		if rest := got[len(got)-len(operands):]; !slices.Equal(rest, operands) {
			t.Fatalf("%q: operands %q, want %q", line, rest, operands)
		}
		again, err := permute.Line(newApp(&env{}), got)
		if err != nil || !slices.Equal(again, got) {
			t.Fatalf("%q, again %q, %v", got, again, err)
		}
	})
}
