// Package thinpool knows the thin-pool and thin targets of device-mapper: their
// tables, their status, the messages that change a pool, and as much of the
// metadata's format on disk as is needed to trust it and to read it.
//
// # What it does
//
//   - Table and Thin are the tables of a pool and of a thin device; Target
//     prints them, ParseTable and ParseThin read them back.
//   - ParseStatus and ParseThinStatus read the status lines of all kernels.
//   - Pool sends messages: CreateThin, CreateSnapshot, Delete,
//     SetTransactionID. The kernel answers a message before it has committed
//     it, so that a caller asks Confirm before it relies on the change.
//   - ReadSuperblock, ReadDevices, ReadMetadata, ReadRanges and ReadFirst read
//     the metadata from its device, also while the pool is active.
//   - CheckMetadataSize, CheckFit and MetadataSize say which sizes are
//     possible, and which are sensible.
//
// # What it needs
//
// Messages and status need a dm.Control, and so root and a kernel with dm-thin.
// Everything else works on strings, numbers and an io.ReaderAt, without root.
// It needs neither thin_check nor dmsetup.
//
// Sizes are in bytes where they are an int64, in sectors of 512 bytes where
// they are dm.Sectors, and in blocks of the pool or of the metadata (4096
// bytes) where a field says so.
//
// # Concurrency
//
// The methods of Pool may be called concurrently; the kernel carries out one
// message of a pool after the other. The functions that read metadata keep no
// state. On an active pool they read one committed state, as long as r does not
// read through the page cache (O_DIRECT): if the pool commits too often
// meanwhile, they return ErrMoving.
//
// # When not to use it
//
//   - To check or repair metadata: that is thin_check(8) and thin_repair(8).
//     What is read here is checked as far as it has to be followed.
//   - As a lock: transaction ids tell that another program has changed the
//     pool, and do not keep it from doing so.
//   - To snapshot an active device: its origin must be suspended first, which
//     the kernel does not enforce (package freeze).
//
// # Sources
//
// The kernel's drivers/md/dm-thin.c (targets, messages, status),
// drivers/md/dm-thin-metadata.c (superblock, mapping and details trees),
// drivers/md/persistent-data (btrees, space maps, checksums), and
// Documentation/admin-guide/device-mapper/thin-provisioning.rst.
package thinpool
