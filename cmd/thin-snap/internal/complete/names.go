package complete

import (
	"bytes"
	"io"
	"strings"

	"thinmount/lib/fstype"
)

// Names are what the words of a line may refer to. Each returns nothing if it
// cannot be found out.
type Names struct {
	pools, volumes func() []string
	keys           func(volume string) []string    // of its properties
	columns        func(command []string) []string // of a command that lists
	values         map[string][]string             // for a name in a usage: "FS" to "ext4", ...
}

// NamesOf returns the names that commands of the program print. run runs one.
// What they cannot tell, without root for example, is not offered.
// poolProperties are the properties of a pool that can be changed.
func NamesOf(run func(out io.Writer, words []string) error, poolProperties []string) Names {
	ask := func(words ...string) (found []string) {
		var out bytes.Buffer
		if run(&out, words) != nil {
			return nil
		}
		for line := range strings.Lines(out.String()) {
			if fields := strings.Fields(line); len(fields) > 0 {
				found = append(found, fields[0])
			}
		}
		return found
	}
	full := []string{"error", "queue"}
	var assignments []string
	for _, name := range poolProperties {
		if name != "on-full" {
			assignments = append(assignments, name+"=")
			continue
		}
		for _, value := range full {
			assignments = append(assignments, name+"="+value)
		}
	}
	return Names{
		pools:   func() []string { return ask("pool", "list", "-q") },
		volumes: func() []string { return ask("list", "-q") },
		keys:    func(volume string) []string { return ask("get", "-q", volume) },
		columns: func(command []string) []string {
			return ask(append(command, "-o", "help")...)
		},
		values: map[string][]string{
			"FS": fstype.Made(), "WHAT": full, "PROPERTY=VALUE": assignments,
		},
	}
}
