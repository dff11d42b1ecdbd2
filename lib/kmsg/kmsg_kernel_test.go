//go:build kernel

package kmsg

import (
	"os"
	"slices"
	"testing"
)

// What is written to the log after Begin is found, what was there before is
// not.
func TestKernelMessages(t *testing.T) {
	say := func(s string) {
		if err := os.WriteFile("/dev/kmsg", []byte(s), 0); err != nil {
			t.Fatal(err)
		}
	}
	say("thinmount test: before")
	say("the last record is not counted until another follows it")
	l := Begin()
	defer l.Close()
	say("thinmount test: after")
	say("something else")
	if got := l.Messages("thinmount test"); !slices.Equal(got, []string{"thinmount test: after"}) {
		t.Errorf("%q", got)
	}
}
