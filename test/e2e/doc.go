// Package e2e uses thinmount as its users do: by the real mount(8) and
// umount(8), with findmnt, dmsetup, blkid and fsck as witnesses. Its tests run
// in a guest (test/run), where the three programs are installed.
package e2e
