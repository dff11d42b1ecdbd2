package kmsg

import (
	"strings"
	"testing"
)

func TestMessage(t *testing.T) {
	for record, want := range map[string]string{
		"3,1201,88817,-;device-mapper: thin: Couldn't open thin device\n SUBSYSTEM=block\n" +
			" DEVICE=b253:3\n": "device-mapper: thin: Couldn't open thin device",
		"6,1,1,-;a; b\n": "a; b",
		"6,1,1,-":        "",
		"":               "",
	} {
		if got := message(record); got != want {
			t.Errorf("%q: %q, want %q", record, got, want)
		}
	}
}

func TestContains(t *testing.T) {
	if !contains("EXT4-fs (dm-3): bad", []string{"nothing", "(dm-3)"}) ||
		contains("x", []string{""}) || contains("x", nil) {
		t.Error("wrong messages would be picked")
	}
}

func TestNoLogIsEmpty(t *testing.T) {
	var l Log
	if got := l.Messages("a"); got != nil || l.Close() != nil {
		t.Errorf("%q", got)
	}
}

func FuzzMessage(f *testing.F) {
	for _, s := range []string{
		"3,1201,88817,-;text\n KEY=v\n",
		"6,339,5140900,-,caller=T1;EXT4-fs (dm-3): mounted\n SUBSYSTEM=block\n DEVICE=b253:3\n",
		";", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m := message(s)
		if strings.Contains(m, "\n") || !strings.Contains(s, m) {
			t.Errorf("%q gives %q", s, m)
		}
	})
}
