package thin

import (
	"os"

	"golang.org/x/sys/unix"
)

// openFolder opens the folder on which something is mounted, and asks its
// filesystem for nothing. A mount on demand that lies over it is not triggered, as
// O_DIRECTORY would do: who calls this has locks for which its daemon may wait.
func openFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(dir, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.IsDir() {
		err = &os.PathError{Op: "open", Path: dir, Err: unix.ENOTDIR}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
