// Package check compares facts about a pool and returns findings: what is
// wrong, and what was left over. Its callers gather the facts. The package
// opens no file and makes no ioctl, so the same facts always give the same
// findings.
package check
