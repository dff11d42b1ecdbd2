// Package registry finds pools and volumes by name and tells what is known of
// them: the catalog, the lock and the record of a volume, its alias under
// /run/thin/dev, its lines in fstab and utab, and its mounts here and in other
// mount namespaces.
//
// The record of a volume is compared with the kernel whenever it is read under
// the volume's lock (Observe): the kernel alone knows what is active, suspended or
// mounted.
package registry
