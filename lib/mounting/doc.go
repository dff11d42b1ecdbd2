// Package mounting holds the use cases of mount.thin and umount.thin.
//
// first in mount.go follows the table "mount" of docs/crashes.md, and last in
// unmount.go the table "umount", with the words of these tables. The other files
// hold one question each: which volume is meant (spec.go), is it mounted already
// (mount_again.go), do the options agree (mount_suits.go), does the pool's state
// bear it (mount_state.go), what did the kernel refuse (refused.go), are writes
// still on their way (unmount_flush.go), is this a copy in another mount namespace
// (unmount_copy.go).
package mounting
