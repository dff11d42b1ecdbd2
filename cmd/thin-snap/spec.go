package main

import (
	"context"
	"slices"
	"strings"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/thin"
)

// parseSpec reads POOL/VOLUME. lib/thin checks whether the names are allowed,
// and whether such a volume exists.
func parseSpec(s string) (thin.Volume, error) {
	pool, name, found := strings.Cut(s, "/")
	if !found || pool == "" || name == "" {
		return thin.Volume{}, &usage.Error{
			Message: "not a volume: " + s,
			Hint:    "a volume is named POOL/VOLUME, as demo/base",
		}
	}
	return thin.Volume{Pool: pool, Name: name}, nil
}

// parseSpecs reads several volumes, and keeps each once.
func parseSpecs(args []string) ([]thin.Volume, error) {
	var out []thin.Volume
	for _, a := range args {
		v, err := parseSpec(a)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out, nil
}

// parsePatterns reads several volumes, each a name or a pattern. stdin says
// that more are to be read from standard input.
func parsePatterns(args []string) (stdin bool, volumes []thin.Volume, err error) {
	isDash := func(arg string) bool { return arg == "-" }
	stdin = slices.ContainsFunc(args, isDash)
	volumes, err = parseSpecs(slices.DeleteFunc(args, isDash))
	for _, v := range volumes {
		if err == nil {
			err = choose.Check(v)
		}
	}
	return stdin, volumes, err
}

// readSpecs reads names of volumes from standard input.
func readSpecs(ctx context.Context, c *call) ([]thin.Volume, error) {
	lines, err := choose.Lines(ctx, c.env.stdin)
	if err != nil {
		return nil, cannot("read", "standard input", err)
	}
	return parseSpecs(lines)
}

// parsePool reads the name of a pool.
func parsePool(s string) (string, error) {
	if pool, _, found := strings.Cut(s, "/"); found {
		return "", &usage.Error{
			Message: "not a pool: " + s,
			Hint: "the pool's name alone: " + pool +
				"; a volume is shown by: thin-snap show " + s,
		}
	}
	return s, nil
}

// parsePools reads several pools, and keeps each once.
func parsePools(args []string) ([]string, error) {
	var out []string
	for _, a := range args {
		p, err := parsePool(a)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out, nil
}
