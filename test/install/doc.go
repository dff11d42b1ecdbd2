// Package install holds the tests of `make install` and `make uninstall`: where
// things go, that root needs no Go for it, and that all of it can be taken away
// again. They run make in a copy of what it reads, with stand-ins for bin/.
package install
