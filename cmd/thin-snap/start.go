package main

import (
	"context"
	"errors"
	"slices"

	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/permute"
	"thinmount/cmd/thin-snap/internal/say"
	"thinmount/cmd/thin-snap/internal/signals"
)

// run runs the command line args and returns the exit status.
func run(args []string, e env) int {
	ctx, stop := signals.Context(context.Background())
	defer stop()
	if len(args) > 1 && args[1] == completing {
		return offer(ctx, args[2:], e)
	}
	ordered, err := runApp(ctx, args, e)
	code := fail.Code(err)
	if ended := (*fail.ProgramError)(nil); errors.As(err, &ended) {
		say.Report(e.stderr, ended.Err)
	} else {
		say.Report(e.stderr, err)
		// A command that succeeded in spite of the signal has exit status 0.
		if sig := signals.Of(ctx); sig != nil && err != nil {
			code = fail.Code(sig)
		}
	}
	if code != 0 && wantsJSON(ordered) {
		say.ReportJSON(e.stderr, code, err)
	}
	return code
}

// runApp also returns the line in its proper order, or args if that fails.
func runApp(ctx context.Context, args []string, e env) (ordered []string, err error) {
	app := newApp(&e)
	ordered, err = permute.Line(app, args)
	if err != nil {
		return args, err
	}
	return ordered, app.RunContext(ctx, ordered)
}

// wantsJSON reports whether --json is among the options.
func wantsJSON(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	return slices.Contains(args, "--json") || slices.Contains(args, "-j")
}
