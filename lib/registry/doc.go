// Package registry finds pools and volumes by name and knows what is recorded
// about them: the catalog, the lock and the record of a volume, its alias under
// /run/thin/dev, its lines in fstab and utab, and its mounts in this and in
// other mount namespaces.
//
// A command that reads a volume's record under the volume's lock compares the
// record with the kernel (Reconcile). Only the kernel knows which volumes are
// active, suspended or mounted.
package registry
