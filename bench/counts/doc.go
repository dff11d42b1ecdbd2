// Package counts says how many calls of a kind one command makes: ioctls,
// syncs, opened files. Unlike times, these numbers are the same on every
// machine, so a test compares them with a table: a change that adds a call is
// seen.
//
//	trace.go   what strace wrote of one command, as Counts
//	table.go   the Counts of several commands, as a file
//
// The tables are testdata/SUITE.tsv, since what mount(2) can do differs by
// kernel. The script update writes them anew.
package counts
