// Package thinpool knows the thin-pool and thin targets: their tables, their
// status on every kernel, the messages that change a pool, and as much of the
// metadata's format as is needed to trust it and to read it. Sources: the
// kernel's drivers/md/dm-thin.c and dm-thin-metadata.c, and
// Documentation/admin-guide/device-mapper/thin-provisioning.rst.
package thinpool
