// Package host is the machine as the use cases see it: where state lives, how
// device-mapper is opened, how long anything may wait, and who is told of
// warnings, steps and waits. It also knows what a sandbox lacks, and what helps
// against an error that carries no remedy.
package host
