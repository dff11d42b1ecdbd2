package mount

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// OpenDir resolves a mount point to the path that the mount table will have. It
// must be there and be a directory.
func OpenDir(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return "", bare(abs, err)
	}
	st, err := os.Stat(real)
	if err != nil {
		return "", bare(abs, err)
	}
	if !st.IsDir() {
		return "", &dirError{abs, unix.ENOTDIR}
	}
	return real, nil
}

// dirError is "DIR: REASON": the object before the reason, and no syscall.
type dirError struct {
	path string
	err  error
}

func (e *dirError) Error() string { return e.path + ": " + e.err.Error() }
func (e *dirError) Unwrap() error { return e.err }

func bare(path string, err error) error {
	if e, ok := err.(*os.PathError); ok {
		err = e.Err
	}
	return &dirError{path, err}
}
