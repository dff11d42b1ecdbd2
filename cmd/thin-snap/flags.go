package main

// What several commands share: flags, the values of flags, and the operands of
// commands for several pools.

import (
	"context"
	"errors"
	"strings"

	"github.com/urfave/cli/v2"

	"thinmount/cmd/thin-snap/internal/amount"
	"thinmount/cmd/thin-snap/internal/choose"
	"thinmount/cmd/thin-snap/internal/fail"
	"thinmount/cmd/thin-snap/internal/table"
	"thinmount/cmd/thin-snap/internal/usage"
)

// boolFlag returns a flag that is there or not. names has its long name, then
// others: "force,f".
func boolFlag(names, help string) cli.Flag {
	all := strings.Split(names, ",")
	return &cli.BoolFlag{Name: all[0], Aliases: all[1:], Usage: help}
}

// valueFlag returns a flag that has a value, whose name stands in help in
// backquotes.
func valueFlag(names, help string) cli.Flag {
	all := strings.Split(names, ",")
	return &cli.StringFlag{Name: all[0], Aliases: all[1:], Usage: help}
}

// showFlags returns the flags of commands that show something, and listFlags
// those of commands that list.
func showFlags() []cli.Flag {
	return []cli.Flag{
		boolFlag("no-headings,noheadings,H",
			"no headings, one tab between columns, nothing padded"),
		boolFlag("parsable,p", "exact numbers: sizes in bytes, times in seconds since 1970"),
		jsonFlag(),
		valueFlag("columns,o", "show `COLUMNS`, separated by commas; "+
			"+id adds id to the usual ones; help lists all"),
	}
}

func listFlags() []cli.Flag {
	return append(showFlags(),
		valueFlag("sort,s", "smallest `COLUMN` first; by name otherwise"),
		valueFlag("sort-descending,S", "largest `COLUMN` first"))
}

// filterFlag returns the --filter of commands that list volumes.
func filterFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "filter",
		Usage: "only where a column or property has a value: `COLUMN=VALUE`; " +
			"of several, all must hold"}
}

// readListing gives a listing what the flags say about it. If the user asks for
// the list of columns, it prints that, and helped is true.
func readListing[T any](c *call, l *table.Listing[T]) (helped bool, err error) {
	err = l.Read(table.Options{
		Bare: c.Bool("no-headings"), Exact: c.Bool("parsable"), JSON: c.Bool("json"),
		NamesOnly: c.Bool("quiet"), Columns: c.String("columns"),
		Sort: c.String("sort"), SortDescending: c.String("sort-descending"),
		Filters: c.StringSlice("filter"),
	})
	if err != nil || !l.AskedHelp() {
		return false, err
	}
	return true, l.WriteHelp(c.out)
}

// jsonFlag returns the --json of commands that print something.
func jsonFlag() cli.Flag {
	return boolFlag("json,j", "one JSON object, with everything that is known")
}

// ifNotExistsFlag returns the --if-not-exists of commands that make volumes.
func ifNotExistsFlag() cli.Flag {
	return boolFlag("if-not-exists", "do nothing if the volume exists and is what is asked for")
}

// forceFlag returns the --force of commands that make volumes.
func forceFlag() cli.Flag {
	return boolFlag("force,f", "ignore the pool's margin")
}

// dryRunFlag returns the --dry-run of commands that change something; done says
// what they do: "deleted".
func dryRunFlag(done string) cli.Flag {
	return boolFlag("dry-run,n", "change nothing, print what would be "+done)
}

// yesFlag returns the --yes of commands that ask.
func yesFlag() cli.Flag {
	return boolFlag("yes,y", "ask no question")
}

// size returns the size (bytes) that a flag has, or 0 if it was not given.
func (c *call) size(flag string) (int64, error) {
	if !c.IsSet(flag) {
		return 0, nil
	}
	return flagSize(flag, c.String(flag))
}

// flagSize reads the value of a flag as a size in bytes.
func flagSize(flag, value string) (int64, error) {
	n, err := amount.Size(value)
	var wrong *usage.Error
	if errors.As(err, &wrong) {
		return 0, &usage.Error{Message: "--" + flag + ": " + wrong.Message, Hint: wrong.Hint}
	}
	return n, err
}

// eachPool returns the work of a command that does one thing to several pools.
func eachPool(c *call, verb string, do func(system, context.Context, string) error) (work, error) {
	names, err := choose.Pools(c.Args().Slice())
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, sys system) error {
		check := func(ctx context.Context, name string) error {
			pool, err := sys.Pool(ctx, name)
			if pool.Name != "" {
				return nil // the pool exists, even if a volume's record is damaged
			}
			return fail.Cannot(verb, "pool "+name, err)
		}
		return each(ctx, names, check, func(ctx context.Context, name string) error {
			if err := do(sys, ctx, name); err != nil {
				return fail.Cannot(verb, "pool "+name, err)
			}
			c.did(verb, verb+"d", "pool "+name)
			return nil
		})
	}, nil
}
