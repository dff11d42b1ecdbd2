// Package guest holds the scripts that build and boot a Debian virtual machine
// for the kernel tests (test/run), and what runs in it beside them.
package guest
