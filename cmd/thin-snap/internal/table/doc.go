// Package table prints things for thin-snap's lists: as a table for people, as
// fields between tabs for programs, and as JSON. A Listing has the columns of
// one kind of thing and what a command line wants of them.
//
// It knows neither pools nor volumes: their columns are in
// cmd/thin-snap/internal/columns. It knows no option either: a command fills
// in Options.
package table
