// Package torture breaks thinmount on purpose, in a guest, and looks whether
// anything was lost or left: each command is killed at each system call that
// changes something (kill_kernel_test.go), each call fails
// (fault_kernel_test.go), the power goes (power_kernel_test.go), and 64
// processes work on the same volumes (crowd_kernel_test.go).
//
//	test/torture/run                  minutes, as CI does
//	test/torture/run --long           every kill, one in ten faults, 200 power
//	                                  cuts, a crowd for 10 minutes
//	test/torture/run --only POINT     one of them, as a failure names it
//	test/torture/run --long --into F  what is missing in the report F, which an ended run has left
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
//
// The power goes on paper: /var/lib/thin lies on a disk whose writes and
// flushes dm-log-writes notes in their order, and with them, as marks, what
// each command that came back with 0 has promised. A cut of that log is a disk
// as it may be when the power goes: all up to the last flush, and a part,
// chosen by the seed, of what came after it (logwrites_kernel_test.go). We boot
// from it, and hold what is there against the promises
// (promise_kernel_test.go). A workload does not go twice the same way, so a
// failure is repeated from its log, which --keep DIR keeps:
//
//	test/torture/run --only power --keep DIR
//	test/torture/run --only power/SEED/CUT --keep DIR
//
// The crowd works in rounds, whose plans rapid makes of a seed. At the end of
// each, what there is is compared with a count: a volume's references are its
// mounts less its umounts, and whether it exists its makings less its removals.
// A command that was killed may have counted or not; half of the volumes see no
// kill, and have to be exact. Some of the crowd work in other mount namespaces,
// where they unmount copies of mounts, which count nothing, and have mounts of
// their own.
//
// THIN_TORTURE_SHARE, _FAULTS, _CUTS and _CROWD say how much is done: one in so
// many kills (a few of some scenarios), one in so many faults (the same), so
// many cuts (2), so long a crowd (20s, of 24 processes only). A long run may be
// made in parts, with --into: what the file has counted is left out
// (THIN_TORTURE_DONE), and other workloads are cut than before
// (THIN_TORTURE_SEED).
package torture
