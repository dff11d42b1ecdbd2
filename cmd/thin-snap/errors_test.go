package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/say"
	"thinmount/cmd/thin-snap/internal/signals"
	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/thin"
)

func TestExitCode(t *testing.T) {
	notFound := &thin.Error{Object: "demo", Err: fmt.Errorf("no pool: %w", thin.ErrNotFound)}
	for _, tt := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("x"), 1},
		{fail.NotRoot("list"), 1},
		{os.ErrNotExist, 1},
		{usage.Errorf("x"), 2},
		{fmt.Errorf("x: %w", thin.ErrUsage), 2},
		{fail.Cannot("show", "demo", notFound), 4},
		{fail.Cannot("delete", "demo", thin.ErrBusy), 5},
		{thin.ErrExists, 5},

		{thin.ErrPoolState, 6},
		{fail.Several([]error{notFound}, 0), 4},
		{fail.Several([]error{notFound, thin.ErrBusy}, 0), 4},
		{fail.Several([]error{thin.ErrBusy}, 1), 3},
		{fail.Several(nil, 1), 0},
		{&signals.Error{Signal: unix.SIGINT}, 130},
		{fail.Several([]error{&signals.Error{Signal: unix.SIGTERM}}, 1), 143},
	} {
		if got := fail.Code(tt.err); got != tt.want {
			t.Errorf("fail.Code(%v) = %d, want %d", tt.err, got, tt.want)
		}
	}
}

func TestReport(t *testing.T) {
	busy := &thin.Error{
		Object: "demo/a",
		Err:    errors.New("device is busy"),
		Remedy: thin.Hint("unmount /mnt first"),
	}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{fail.Cannot("delete", "demo/a", busy),
			"thin-snap: cannot delete demo/a: device is busy\n" +
				"thin-snap: hint: unmount /mnt first\n"},
		{fail.Cannot("delete", "demo/b", busy),
			"thin-snap: cannot delete demo/b: demo/a: device is busy\n" +
				"thin-snap: hint: unmount /mnt first\n"},
		{fail.Cannot("delete", "a\nb", errors.New("x\x1b[2J")),
			"thin-snap: cannot delete a; b: x?[2J\n"},
		{errors.New("a\u009b2J\u0085b\x9b\u00a0c"), "thin-snap: a?2J?b\ufffd\u00a0c\n"},
		{fail.Cannot("create", "demo/a", fmt.Errorf("wait: %w", context.Canceled)),
			"thin-snap: cannot create demo/a: interrupted\n"},
		{fail.Several([]error{errors.New("x"), usage.Errorf("y")}, 1),
			"thin-snap: x\nthin-snap: y\n"},
		{errors.Join(fail.Several([]error{busy, errors.New("x")}, 0), nil, usage.Errorf("y")),
			"thin-snap: demo/a: device is busy\nthin-snap: hint: unmount /mnt first\n" +
				"thin-snap: x\nthin-snap: y\n"},
		{errors.Join(fail.Cannot("deactivate", "a", busy),
			fail.Cannot("list", "pools", errors.New("c"))),
			"thin-snap: cannot deactivate a: demo/a: device is busy\n" +
				"thin-snap: hint: unmount /mnt first\nthin-snap: cannot list pools: c\n"},
		{fmt.Errorf("%w: %w", errors.New("x"), busy),
			"thin-snap: x: demo/a: device is busy\nthin-snap: hint: unmount /mnt first\n"},
	} {
		var b strings.Builder
		say.Report(&b, tt.err)
		if b.String() != tt.want {
			t.Errorf("report(%v) = %q, want %q", tt.err, b.String(), tt.want)
		}
	}
}

func TestAsk(t *testing.T) {
	for answer, want := range map[string]bool{
		"y\n": true, " YES \n": true, "\n": false, "n\n": false, "yess\n": false, "": false,
		"y": false,
	} {
		if got := say.Ask(strings.NewReader(answer), &strings.Builder{}, "?"); got != want {
			t.Errorf("answer %q is %v, want %v", answer, got, want)
		}
	}
}

// TestReportJSON wants the hints of an error in its JSON.
func TestReportJSON(t *testing.T) {
	busy := &thin.Error{Object: "demo/a", Err: thin.ErrBusy, Remedy: thin.Hint("umount /mnt")}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fail.Cannot("delete", "demo/a", busy),
			`"message":"cannot delete demo/a: busy","hint":"umount /mnt"`},
		{fail.Several([]error{busy, errors.New("x"), busy, usage.Errorf("y")}, 1),
			`"hint":"umount /mnt"`},
		{errors.New("x"), `"message":"x","hint":null`},
	} {
		var b strings.Builder
		say.ReportJSON(&b, 5, tt.err)
		if !strings.Contains(b.String(), tt.want) {
			t.Errorf("%v: %s, want %s", tt.err, b.String(), tt.want)
		}
	}
}

// TestNothingToList wants an empty list explained to a person at a terminal,
// and not to a script.
func TestNothingToList(t *testing.T) {
	for _, tt := range []struct {
		tty  bool
		args []string
		want string
	}{
		{true, []string{"pool", "list"},
			"thin-snap: no pools; thin-snap pool create NAME makes one\n"},
		{true, []string{"list"},
			"thin-snap: no volumes; thin-snap create --size SIZE --fs ext4 POOL/VOLUME " +
				"makes one\n"},
		{true, []string{"list", "-H"}, ""}, {true, []string{"list", "-j"}, ""},
		{true, []string{"list", "-q"}, ""},
		{false, []string{"pool", "list"}, ""}, {false, []string{"list"}, ""},
	} {
		var stdout, stderr strings.Builder
		e := env{
			stdout: &stdout, stderr: &stderr, stderrTTY: tt.tty,
			newSystem: func(h hooks) (system, error) { return openFake(t.TempDir()+"/none", h) },
		}
		if code := run(append([]string{"thin-snap"}, tt.args...), e); code != 0 ||
			stderr.String() != tt.want {
			t.Errorf("%q: status %d, %q, want %q", tt.args, code, stderr.String(), tt.want)
		}
	}
}

// TestCannotNamesOnce wants the object named once in an error, with or without
// "pool" before it.
func TestCannotNamesOnce(t *testing.T) {
	pool := &thin.Error{Object: "pool demo", Err: errors.New("no such pool")}
	for _, tt := range []struct{ object, want string }{
		{"pool demo", "cannot show pool demo: no such pool"},
		{"demo", "cannot show pool demo: no such pool"},
		{"demo/v", "cannot show demo/v: pool demo: no such pool"},
	} {
		if got := fail.Cannot("show", tt.object, pool).Error(); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// TestEachStopsAtSignal wants that each works on no further name after a
// signal.
func TestEachStopsAtSignal(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	var did []string
	err := each(ctx, []string{"a", "b", "c"},
		func(context.Context, string) error { return nil },
		func(_ context.Context, name string) error {
			did = append(did, name)
			if name == "b" {
				cancel(&signals.Error{Signal: unix.SIGINT})
			}
			return nil
		})
	if fail.Code(err) != 130 || len(did) != 2 {
		t.Errorf("did %q, then %v", did, err)
	}
}

func TestWriteErrorIsAnError(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	var stderr strings.Builder
	e := env{
		stdout:    full,
		stderr:    &stderr,
		newSystem: func(h hooks) (system, error) { return openFake(t.TempDir()+"/none", h) },
	}
	code := run([]string{"thin-snap", "list", "-j"}, e)
	want := "thin-snap: cannot write standard output: write /dev/full: no space left on device\n" +
		`{"error":{"code":1,"message":"cannot write standard output: ` +
		`write /dev/full: no space left on device","hint":null}}` + "\n"
	if code != 1 || stderr.String() != want {
		t.Errorf("status %d, %q", code, stderr.String())
	}
}
