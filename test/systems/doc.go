// Package systems holds the tests of thinmount as a part of a running system:
// fstab, units, udev, logs, and what is left of it all after the next boot.
//
// TestBoot1... run in the first boot of a fresh machine, TestBoot2... in the
// second one, and so on; between two boots systemd shuts the machine down, and
// a shutdown that hangs or cannot unmount something is a failed test as well.
// test/systems/run does that for each suite.
//
// A subtest named AREA/WHAT IT DOES is a feature, and a row of the table in
// docs/compatibility.md.
package systems
