// Package check compares facts about a pool, which others have gathered, and
// returns findings. It opens no file and makes no ioctl: the same facts always
// give the same findings.
package check
