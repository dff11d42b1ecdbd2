// Package choose reads what users write in place of volumes and pools: names,
// patterns as the shell has them, and lines of standard input.
package choose
