package usage

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	commands := strings.Fields("pool create snapshot snap clone rename mv delete rm list ls show " +
		"set get unset activate deactivate format recover help")
	columns := strings.Fields("name data_size data_used metadata_used on_full state")
	for _, row := range []struct {
		word, want string
		of         []string
	}{
		{"lsit", "list", commands}, {"dlete", "delete", commands}, {"craete", "create", commands},
		{"snpashot", "snapshot", commands}, {"deativate", "deactivate", commands},
		{"List", "list", commands}, {"hlep", "help", commands}, {"ll", "ls", commands},
		{"frob", "", commands}, {"x", "", commands}, {"", "", commands},
		{"used", "data_used metadata_used", columns}, {"NAME", "name", columns},
		{"on-full", "on_full", columns}, {"sate", "state", columns}, {"nosuch", "", columns},
	} {
		if got := strings.Join(Nearest(row.word, row.of), " "); got != row.want {
			t.Errorf("%s: %q, want %q", row.word, got, row.want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	words := []string{"list", "set"}
	for _, row := range []struct{ word, rest, want string }{
		{"lst", "see --help", "did you mean thin-snap list; see --help"},
		{"lst", "", "did you mean thin-snap list"},
		{"nothing", "see --help", "see --help"}, {"nothing", "", ""},
	} {
		if got := DidYouMean(row.word, words, "thin-snap ", row.rest); got != row.want {
			t.Errorf("%s: %q, want %q", row.word, got, row.want)
		}
	}
}
