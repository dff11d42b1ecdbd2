// Package volumes holds the use cases of volumes that are not mounting: create,
// snapshot, delete, format, list, deactivate.
package volumes
