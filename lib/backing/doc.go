// Package backing deals with the disks and files that carry a pool. It finds
// the disks of a pool again when their names have changed. It claims the disks
// of a new pool. It tells the pool's own disks and files from those of a copy
// of the pool, and says which are missing.
package backing
