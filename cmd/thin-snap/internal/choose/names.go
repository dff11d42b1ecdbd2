package choose

import (
	"slices"
	"strings"

	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/thin"
)

// Volume reads POOL/VOLUME. lib/thin checks whether the names are allowed,
// and whether such a volume exists.
func Volume(s string) (thin.Volume, error) {
	pool, name, found := strings.Cut(s, "/")
	if !found || pool == "" || name == "" {
		return thin.Volume{}, &usage.Error{
			Message: "not a volume: " + s,
			Hint:    "a volume is named POOL/VOLUME, as demo/base",
		}
	}
	return thin.Volume{Pool: pool, Name: name}, nil
}

// Volumes reads several volumes, and keeps each once.
func Volumes(args []string) ([]thin.Volume, error) {
	var out []thin.Volume
	for _, a := range args {
		v, err := Volume(a)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out, nil
}

// Patterns reads several volumes, each a name or a pattern. stdin says
// that more are to be read from standard input.
func Patterns(args []string) (stdin bool, volumes []thin.Volume, err error) {
	isDash := func(arg string) bool { return arg == "-" }
	stdin = slices.ContainsFunc(args, isDash)
	volumes, err = Volumes(slices.DeleteFunc(args, isDash))
	for _, v := range volumes {
		if err == nil {
			err = check(v)
		}
	}
	return stdin, volumes, err
}

// Pool reads the name of a pool.
func Pool(s string) (string, error) {
	if pool, _, found := strings.Cut(s, "/"); found {
		return "", &usage.Error{
			Message: "not a pool: " + s,
			Hint: "the pool's name alone: " + pool +
				"; a volume is shown by: thin-snap show " + s,
		}
	}
	return s, nil
}

// Pools reads several pools, and keeps each once.
func Pools(args []string) ([]string, error) {
	var out []string
	for _, a := range args {
		p, err := Pool(a)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out, nil
}
