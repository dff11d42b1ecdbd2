// Package running is the use case that runs a program in a volume: in an
// existing one, or in a snapshot that is made for it and that is kept or
// deleted by how the program ends.
package running
