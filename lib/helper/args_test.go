package helper

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/lib/thin"
)

func TestParse(t *testing.T) {
	none, flags := map[string]string{}, func(s string) map[byte]bool {
		m := map[byte]bool{}
		for i := range len(s) {
			m[s[i]] = true
		}
		return m
	}
	for _, row := range []struct {
		name     string
		argv     string
		operands string
		flags    string
		values   map[string]string
		err      string
	}{
		{"util-linux puts options last", "p/v /mnt -s -n -o rw -t thin.ext4", "p/v /mnt", "sn",
			map[string]string{"o": "rw", "t": "thin.ext4"}, ""},
		{"2.40.3 puts them first", "-o rw,noatime -v p/v /mnt", "p/v /mnt", "v",
			map[string]string{"o": "rw,noatime"}, ""},
		{"clusters", "-nv p/v /mnt", "p/v /mnt", "nv", none, ""},
		{"cluster that ends in a value", "-nvoro p/v /mnt", "p/v /mnt", "nv",
			map[string]string{"o": "ro"}, ""},
		{"several -o", "-o ro -o noatime p/v /mnt", "p/v /mnt", "",
			map[string]string{"o": "ro,noatime"}, ""},
		{"end of options", "-n -- -v -o", "-v -o", "n", none, ""},
		{"a dash is an operand", "- /mnt", "- /mnt", "", none, ""},
		{"unknown", "p/v /mnt -x", "", "", nil, "-x: unknown"},
		{"unknown in a cluster", "p/v /mnt -nvx", "", "", nil, "-nvx: unknown"},
		{"a long name", "p/v /mnt --sync", "", "", nil, "--sync: unknown"},
		{"a letter written long", "p/v /mnt --n", "", "", nil, "--n: unknown"},
		{"value missing", "p/v /mnt -o", "", "", nil, "-o needs a value"},
		{"empty mount point", "p/v EMPTY", "", "", nil, "an operand is empty"},
		{"empty volume", "EMPTY /mnt -n", "", "", nil, "an operand is empty"},
		{"empty after the options", "p/v -- EMPTY", "", "", nil, "an operand is empty"},
		{"empty namespace", "p/v /mnt -N EMPTY", "", "", nil, "-N: its value is empty"},
		{"no options", "p/v /mnt -o EMPTY", "p/v /mnt", "", map[string]string{"o": ""}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			argv := strings.Fields(row.argv)
			for i := range argv {
				argv[i] = strings.TrimPrefix(argv[i], "EMPTY")
			}
			got, err := Parse(argv, "sfnv", "otN")
			if row.err != "" {
				if err == nil || !strings.Contains(err.Error(), row.err) {
					t.Fatalf("error %v, want %q", err, row.err)
				}
				return
			}
			values := map[byte]string{}
			for k, v := range row.values {
				values[k[0]] = v
			}
			want := Args{Operands: strings.Fields(row.operands), Flags: flags(row.flags),
				Values: values}
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
		})
	}
}

func TestNeeds(t *testing.T) {
	both := []string{"POOL/VOLUME", "DIR"}
	for _, row := range []struct {
		names, operands []string
		want            string
	}{
		{both, nil, "needs POOL/VOLUME and DIR, and has no operand"},
		{both, []string{"/srv"}, `needs POOL/VOLUME and DIR, and has only "/srv"`},
		{both, []string{"p/v", "/a", "/b"}, `needs POOL/VOLUME and DIR alone, and has "/b", too`},
		{[]string{"DIR"}, []string{"/a", "b\n"}, `needs DIR alone, and has "b\n", too`},
	} {
		if got := Needs(row.names, row.operands).Error(); got != row.want {
			t.Errorf("%q, want %q", got, row.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"p/v\n/mnt\n-s\n-o\nrw", "-oro\n--\n-x",
		"-o\nrw,noatime\n-v\np/v\n/mnt", "-nvoro\np/v\n/mnt",
		"p/v\n/mnt\n-s\n-n\n-o\nrw\n-t\nthin.ext4", "-\n/mnt", "-N\n/proc/7/ns/mnt\n/mnt",
		"/mnt\n-v\n-t\nthin",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		argv := strings.Split(s, "\n")
		a, err := Parse(argv, "sfnv", "otN")
		if err != nil {
			return
		}
		// The parsed arguments, written out in one order, parse to the same:
		// Parse loses nothing and invents nothing.
		var again []string
		for c := range a.Flags {
			again = append(again, "-"+string(c))
		}
		for c, value := range a.Values {
			again = append(again, "-"+string(c), value)
		}
		again = append(append(again, "--"), a.Operands...)
		if got, err := Parse(again, "sfnv", "otN"); err != nil || !reflect.DeepEqual(got, a) {
			t.Errorf("%q is %+v, and %q is %+v, %v", argv, a, again, got, err)
		}
		for _, o := range a.Operands {
			if !slices.Contains(argv, o) {
				t.Errorf("%q: %q is none of them", argv, o)
			}
		}
	})
}

func TestReport(t *testing.T) {
	for _, row := range []struct {
		err  error
		code int
		line string
	}{
		{nil, exitOK, ""},
		{&thin.Error{Object: "p/v", Err: thin.ErrNotFound, Remedy: thin.Hint("thin-snap list")},
			exitFail, "mount.thin: p/v: not found (thin-snap list)\n"},
		{&thin.Error{Err: thin.ErrPermission}, exitUsage, "mount.thin: only root can do that\n"},
		{UsageError(errors.New("needs DIR"), "usage: x"), exitUsage,
			"mount.thin: needs DIR (usage: x)\n"},
		{&thin.Error{Object: "kernel", Err: thin.ErrNoKernel}, exitSystem,
			"mount.thin: kernel: kernel support is missing\n"},
		{&thin.Error{Object: "p/v", Err: thin.ErrInterrupt}, exitUser,
			"mount.thin: p/v: interrupted\n"},
		{&thin.Error{Object: "p/v", Err: context.Canceled}, exitUser,
			"mount.thin: p/v: interrupted\n"},
		{context.DeadlineExceeded, exitFail, "mount.thin: gave up waiting\n"},
		{errors.New("one\ntwo\x1b[31m"), exitFail, "mount.thin: one; two?[31m\n"},
		{errors.New("a\u009b2J\u0085b\x9b\u00a0c"), exitFail, "mount.thin: a?2J?b\ufffd\u00a0c\n"},
		{&thin.Error{Object: "/mnt", Err: unix.EBUSY}, exitFail,
			"mount.thin: /mnt: device or resource busy\n"},
	} {
		var out bytes.Buffer
		if code := Report(&out, "mount.thin", row.err); code != row.code ||
			out.String() != row.line {
			t.Errorf("%v: %d %q, want %d %q", row.err, code, out.String(), row.code, row.line)
		}
	}
}
