// Command thin-snap makes, lists and removes thin pools, their volumes and
// snapshots of them. See thin-snap(8).
//
// Each command has a file of its own, named like the command: snapshot.go,
// pool_grow.go. It holds the command's flags and help, and turns the arguments
// into one call of lib/thin. The other files serve them:
//
//	app.go, pool.go            the tree of commands
//	run.go, call.go            from arguments to an exit status
//	permute.go, flags.go       options behind operands; options of several commands
//	each.go                    one command for many operands
//	spec.go, size.go           what users write: POOL/VOLUME, 2G
//	listing.go, table.go       lists: tables for people
//	column.go, *_columns.go    their columns, which JSON has, too
//	json.go, nicenum.go        numbers and JSON
//	values.go                  values that may be missing
//	ui.go, errors.go           messages, questions, exit status
//	progress.go, signals.go    long steps, ctrl-C
//	env.go, pipe.go            what a run takes from outside, which tests replace
package main
