package job

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// exec starts the program, as execvp(3) finds it. The descriptors that the
// first process has inherited go to the program; ours close.
func (c *child) exec() (pid int, err error) {
	path, err := lookPath(c.args[0], os.Getenv("PATH"))
	if err != nil {
		return 0, err
	}
	attr := &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}}
	pid, err = syscall.ForkExec(path, c.args, attr)
	if errors.Is(err, unix.ENOEXEC) { // a script without #!
		pid, err = syscall.ForkExec("/bin/sh", append([]string{"sh", path}, c.args[1:]...), attr)
	}
	return pid, err
}

// usualPath is where execvp(3) looks without PATH, and where root's programs
// are.
const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// lookPath finds a program. If there is only a file that may not be executed,
// the error is EACCES, and else ENOENT.
func lookPath(program, path string) (string, error) {
	if program == "" {
		return "", unix.ENOENT
	}
	if strings.Contains(program, "/") {
		return program, nil
	}
	if path == "" {
		path = usualPath
	}
	var found error = unix.ENOENT
	for _, dir := range filepath.SplitList(path) {
		if dir == "" {
			dir = "."
		}
		file := dir + "/" + program
		st, err := os.Stat(file)
		switch {
		case err != nil || st.IsDir():
		case unix.Access(file, unix.X_OK) == nil:
			return file, nil
		default:
			found = unix.EACCES
		}
	}
	return "", found
}
