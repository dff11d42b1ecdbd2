// Command thin-snap makes, lists and removes thin pools, their volumes and
// snapshots of them. See thin-snap(8).
//
// Each command has a file of its own, named like the command: snapshot.go,
// pool_grow.go. It holds the command's flags and help, and turns the arguments
// into one call of lib/thin. The other files serve them:
//
//	main.go, version.go        where the program begins, and which version it is
//	app.go, pool.go            the tree of commands
//	start.go, call.go          from arguments to an exit status
//	flags.go                   options of several commands
//	each.go                    one command for many operands
//	env.go                     what a run takes from outside, which tests replace
//
// What is no command has packages below:
//
//	internal/fail              errors and exit status
//	internal/say               messages and questions
//	internal/signals           ctrl-C, and readers that end first
//	internal/choose            what users write: POOL/VOLUME, patterns
//	internal/findings          what pool check prints
//	internal/family            volumes by their origins
//	internal/usage             the error of a wrong command line
//	internal/permute           options behind operands
//	internal/amount            sizes, percentages and times: 2G, 10%, 30s
//	internal/table             lists: tables for people, tabs and JSON for programs
//	internal/columns           the columns of volumes and of pools
//	internal/bars              bars that show how far long work is
package main
