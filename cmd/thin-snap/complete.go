package main

import (
	"context"
	"io"

	"thinmount/cmd/thin-snap/internal/complete"
)

// completing is what the completions in contrib/completion put before the words
// of a line. It is no command: people have no use for it.
const completing = "__complete"

// offer prints what may stand for the last of words. Names come from the
// program's own commands.
func offer(ctx context.Context, words []string, e env) int {
	run := func(out io.Writer, words []string) error {
		asking := e
		asking.stdout, asking.stderr, asking.stderrTTY = out, io.Discard, false
		_, err := runApp(ctx, append([]string{"thin-snap"}, words...), asking)
		return err
	}
	o := complete.Line(newApp(&e), words, complete.NamesOf(run, poolProperties))
	if _, err := io.WriteString(e.stdout, o.String()); err != nil {
		return 1
	}
	return 0
}
