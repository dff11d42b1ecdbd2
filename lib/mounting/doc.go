// Package mounting holds the use cases of mount.thin and umount.thin.
//
// mount.go follows the table "first mount" of docs/crashes.md, and unmount.go the
// table "last umount". The other files hold one question each: is the volume
// mounted already (mount_again.go), does the pool's state bear it (mount_state.go),
// do the options agree (mount_suits.go), what did the kernel refuse (refused.go),
// are writes still on their way (unmount_flush.go), is this a copy in another
// mount namespace (unmount_copy.go).
package mounting
