// Package health says what a pool's status means, and what leads out of trouble:
// full, below its margin, read-only, in need of a check, damaged, suspended. It
// also measures the room that the filesystem below a pool's files has left, and
// finds out whether writes were lost.
//
// It reads status and logs. It changes nothing.
package health
