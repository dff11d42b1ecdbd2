package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/columns"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/usage"
	"thinmount/lib/thin"
)

func getCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "get",
		Usage:     "print properties of a volume",
		UsageText: "thin-snap get [-Hjp] [-o COLUMNS] POOL/VOLUME [KEY...]",
		Description: "Prints what thin-snap set has set: the properties named, or all of them.\n" +
			"KEY may be a column of thin-snap list, too. It fails for a property that\n" +
			"the volume does not have. The columns are property, value and name.\n\n" +
			"   thin-snap get demo/base\n" +
			"   thin-snap get -H -o value demo/base org.example.build\n" +
			"   thin-snap get -Hp -o value demo/base size",
		Flags:  showFlags(),
		Action: e.action(operands{"POOL/VOLUME KEY", 1, -1}, get),
	}
}

func get(c *call) (work, error) {
	v, err := choose.Volume(c.Args().First())
	if err != nil {
		return nil, err
	}
	l := columns.Properties("thin-snap get")
	if helped, err := readListing(c, l); helped || err != nil {
		return nil, err
	}
	keys := c.Args().Slice()[1:]
	for _, key := range keys {
		_, _, err := columns.PropertyOf(thin.VolumeInfo{}, key)
		if err != nil && !thin.IsPropertyKey(key) {
			var wrong *usage.Error
			errors.As(err, &wrong)
			return nil, &usage.Error{Message: "neither a property nor a column: " + key,
				Hint: strings.Replace(wrong.Hint, "-o help lists them", "a property has a dot "+
					"or a colon in it, and thin-snap list -o help lists columns", 1)}
		}
		if err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context, sys system) error {
		volume, err := sys.Volume(ctx, v)
		if err != nil {
			return fail.Cannot("get properties of", v.String(), err)
		}
		found, missing := properties(volume, keys)
		if len(found) > 0 || missing == nil {
			if err := l.WriteList(c.out, found); err != nil {
				return err
			}
		}
		return missing
	}, nil
}

// properties returns the properties of a volume with these keys, or all of them
// if keys is empty, and an error for those that it does not have.
func properties(v thin.VolumeInfo, keys []string) (found []columns.Property, missing error) {
	if len(keys) == 0 {
		keys = slices.Sorted(maps.Keys(v.Properties))
	}
	var errs []error
	for _, key := range keys {
		p, ok, err := columns.PropertyOf(v, key)
		if err == nil && !ok {
			meant := usage.DidYouMean(key, slices.Sorted(maps.Keys(v.Properties)), "", "")
			err = &thin.Error{Err: &notSetError{key}, Remedy: thin.Hint(meant)}
		}
		if err != nil {
			errs = append(errs, fail.Cannot("get", v.Volume.String(), err))
			continue
		}
		found = append(found, p)
	}
	return found, fail.Several(errs, len(found))
}

// notSetError says that a volume does not have a property.
type notSetError struct{ key string }

func (e *notSetError) Error() string { return "no property " + e.key }

// Unwrap makes errors.Is find the kind.
func (e *notSetError) Unwrap() error { return thin.ErrNotFound }
