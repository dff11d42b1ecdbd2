package main

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/bars"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/say"
	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/plain"
)

// call is one run of a command: its flags and operands, and where it writes.
type call struct {
	*cli.Context
	env *env
	out *bufio.Writer
}

// work is what a command does after its arguments have been read.
type work func(ctx context.Context, sys system) error

// operands says which operands a command takes. With max < 0 it takes any
// number. With "--" in names, the command line of another program follows them.
type operands struct {
	names    string
	min, max int
}

// action makes the action of a command. plan reads the flags and operands; it
// returns nil if nothing is left to do. The system is opened after that, so
// that a user who is not root learns of a mistyped line, too.
func (e *env) action(o operands, plan func(*call) (work, error)) cli.ActionFunc {
	return func(cc *cli.Context) error {
		if err := o.check(cc.Args().Slice()); err != nil {
			return err
		}
		c := &call{Context: cc, env: e, out: bufio.NewWriter(e.stdout)}
		do, err := plan(c)
		if err != nil {
			return err
		}
		if do != nil {
			err = c.do(do)
		}
		if flushErr := c.out.Flush(); err == nil && flushErr != nil {
			err = &fail.OutputError{Err: flushErr}
		}
		return err
	}
}

// do opens the system and does the work. Warnings and progress go to standard
// error, unless --quiet turns them off.
func (c *call) do(do work) error {
	if c.env.uid != 0 {
		return fail.NotRoot(c.Command.FullName())
	}
	h := hooks{
		debug: c.Bool("debug"), warn: func(string) {}, wait: func(string) {},
		progress: func(string, int64, int64) {},
	}
	if !c.Bool("quiet") {
		h.warn = func(message string) { say.Warn(c.env.stderr, message) }
		if c.env.stderrTTY {
			drawn := bars.New(c.env.stderr, time.Now)
			defer drawn.Close()
			h.progress = drawn.Report
			h.warn = func(message string) { say.Warn(drawn, message) }
			h.wait = func(message string) {
				fmt.Fprintf(drawn, "thin-snap: %s\n", plain.OneLine(message))
			}
		}
	}
	sys, err := c.env.newSystem(h)
	if err != nil {
		return err
	}
	return do(c.Context.Context, sys)
}

// did prints what was done if the user asked for it by --verbose, and with
// --dry-run what would be done: "would delete demo/one".
func (c *call) did(verb, past, object string) {
	switch {
	case c.Bool("dry-run"):
		fmt.Fprintln(c.out, "would", verb, object)
	case c.Bool("verbose"):
		fmt.Fprintln(c.out, past, object)
	}
}

// made prints what a command with --if-not-exists did, if the user asked for it
// by --verbose.
func (c *call) made(made bool, volume string) {
	if made {
		c.did("create", "created", volume)
	} else {
		c.did("keep", "kept", volume)
	}
}

// note prints a message that only helps a person at a terminal.
func (c *call) note(message string) {
	if c.env.stderrTTY && !c.Bool("quiet") {
		fmt.Fprintf(c.env.stderr, "thin-snap: %s\n", plain.OneLine(message))
	}
}

// confirm asks on standard error, wherever standard output goes.
func (c *call) confirm(question string) bool {
	return say.Ask(c.env.stdin, c.env.stderr, plain.OneLine(question))
}

func (o operands) check(args []string) error {
	if strings.Contains(o.names, "--") {
		end := slices.Index(args, "--")
		if end < 0 || end+1 == len(args) {
			return &usage.Error{Message: "no program given",
				Hint: "it stands behind --, as in: -- make check"}
		}
		args = args[:end]
	}
	if len(args) < o.min {
		return usage.Errorf("missing operand %s", strings.Fields(o.names)[len(args)])
	}
	if o.max >= 0 && len(args) > o.max {
		return usage.Errorf("unexpected operand %q", args[o.max])
	}
	if slices.Contains(args, "") {
		return usage.Errorf("an operand is empty")
	}
	return nil
}
