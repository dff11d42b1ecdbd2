// Count reads what `go test -json` or a test binary's `-test.v` prints, shows
// it to a person, and counts the test cases that passed and failed.
//
//	go test -json ./... | count [-to FILE]
//	some.test -test.v | count -text [-to FILE] [-results FILE -suite SUITE]
//	count -total FILE
//
// A test that has subtests is a heading, not a case: its subtests are counted.
// A package that ended badly without a failed test counts as one failure. -to
// adds a line with both numbers to FILE, and a line for each failed case;
// -total prints these, and the sum over such a file. -results adds a line
// "pass|fail SUITE PACKAGE TEST" for each case, for test/features. Exit status
// 1 says that something failed, or that nothing ran.
package main
