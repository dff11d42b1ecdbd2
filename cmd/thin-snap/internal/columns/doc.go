// Package columns has the columns and the JSON fields of thin-snap's lists: of
// volumes and of pools. A new property is a row here, and a field of the JSON
// if it has one there.
package columns
