// Package usage has the error of a command line that is wrong: thin-snap ends
// with exit status 2 after it.
package usage
