// Package host describes the machine to the use cases: where state lives, how
// device-mapper is opened, how long a wait may take, and which functions
// receive warnings, steps and waits. It also recognizes what a sandbox lacks,
// and finds a remedy for an error that carries none.
package host
