// Package choose reads the names of the volumes that a command is for: patterns
// as the shell has them, and lines of standard input.
package choose
