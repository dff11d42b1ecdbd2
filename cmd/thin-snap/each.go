package main

import (
	"context"

	"thinmount/cmd/thin-snap/internal/fail"
)

// each checks all names before it works on the first, so that a mistyped name
// changes nothing. Then it works on them in order, and goes on after an error.
// A signal ends it between two names.
func each[N any](ctx context.Context, names []N, check, do func(context.Context, N) error) error {
	var errs []error
	for _, n := range names {
		if err := check(ctx, n); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return fail.Several(errs, 0)
	}
	done := 0
	for _, n := range names {
		if ctx.Err() != nil {
			return fail.Several(append(errs, context.Cause(ctx)), done)
		}
		if err := do(ctx, n); err != nil {
			errs = append(errs, err)
		} else {
			done++
		}
	}
	return fail.Several(errs, done)
}
