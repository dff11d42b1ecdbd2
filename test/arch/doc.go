// Package arch holds the tests of the project's own rules: which package may
// import what, and what no test may do. They read the source and run nothing.
package arch
