// Features makes the table of docs/compatibility.md, what works on which suite,
// from the results of the tests: one file for each suite, as `count -results`
// wrote it.
//
//	features [-check] [-results DIR] [-doc FILE]
//
// A test case named TestBoot1/AREA/WHAT IT DOES, or TestSystemd..., is a
// feature. Several cases of one name are one feature, which works if each of
// them passed. If a case was run again, the last line holds. With -check the
// file stays as it is, and exit status 1 says that its table is another one.
package main
