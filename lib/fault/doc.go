// Package fault holds the errors of the use cases. An Error names the object
// before the reason. A kind (ErrBusy, ErrNotFound, …) tells a caller how to
// decide. A Remedy says what the user can do about the error. errors.Is still
// finds the errno of the kernel. The package also writes errors, counts, sizes
// and paths as people read them.
package fault
