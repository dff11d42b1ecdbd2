// Package torture breaks thinmount on purpose, in a guest, and looks whether
// anything was lost or left: each command is killed at each system call that
// changes something (kill_kernel_test.go), and each call fails
// (fault_kernel_test.go).
//
//	test/torture/run                  minutes, as CI does
//	test/torture/run --long           every kill point and fault
//	test/torture/run --only POINT     one of them, as a failure names it
//
// The points are enumerated by strace(1), so that a new code path is covered
// without anyone listing it: scenarios (scenario_kernel_test.go) only say which
// commands there are, and in which state they begin.
//
// After each blow the next command runs, of a kind that changes from point to
// point, and has to find a state from which it can work. Then everything is
// unmounted and taken down by commands again, and what is left is compared with
// what was there before (state_kernel_test.go), by what the kernel shows under
// /sys and /proc, and by thin_check and thin_dump.
package torture
