// Package mounting holds the use cases of mount.thin and umount.thin.
//
// mountFirst in mount.go follows the table "first mount" of docs/crashes.md,
// and unmountLast in unmount.go the table "umount, last umount". Both use the
// words of these tables. Each other file answers one question:
//
//   - which volume is meant (spec.go)
//   - is it mounted already (mount_again.go)
//   - do the options agree with that mount (mount_suits.go)
//   - does the pool's state allow the mount (mount_state.go)
//   - what did the kernel refuse (refused.go)
//   - are writes still on their way (unmount_flush.go)
//   - is this a copy in another mount namespace (unmount_copy.go)
package mounting
