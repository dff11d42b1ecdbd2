// Package pools implements the commands that work on whole pools: create,
// delete, grow, set, activate, deactivate, list and show.
package pools
