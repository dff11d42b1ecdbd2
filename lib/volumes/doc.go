// Package volumes holds the use cases of volumes except mounting: create,
// snapshot, delete, format, list, deactivate.
package volumes
