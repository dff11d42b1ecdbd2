// Package fault holds the errors of the use cases: an Error names the object
// before the reason, a kind (ErrBusy, ErrNotFound, …) tells a caller how to
// decide, a Remedy says what helps, and the errno below stays reachable for
// errors.Is. It also puts errors, counts, sizes and paths into the form in which
// people read them.
package fault
