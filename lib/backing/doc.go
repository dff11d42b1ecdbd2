// Package backing deals with the disks and files that carry a pool: it finds them
// again when their names change, claims those of a new pool, tells the pool's own
// from a copy's, and says what is missing.
package backing
