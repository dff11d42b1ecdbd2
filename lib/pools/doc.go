// Package pools holds the use cases of whole pools: create, delete, grow, set,
// activate, deactivate, list.
package pools
