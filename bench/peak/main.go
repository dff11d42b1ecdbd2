// Peak runs a command and prints the most memory that it, or a process that it
// waited for, has had, in KiB. A process that is started takes over the peak of
// the one that starts it (fs/exec.c, exec_mmap), so this one is small: what
// needs less than 2 MiB is printed as what Peak needs.
package main

import (
	"os"
	"strconv"
	"syscall"
)

func main() {
	null, err := syscall.Open("/dev/null", syscall.O_RDWR, 0)
	die(err)
	pid, err := syscall.ForkExec(os.Args[1], os.Args[1:], &syscall.ProcAttr{
		Env: os.Environ(), Files: []uintptr{uintptr(null), uintptr(null), 2},
	})
	die(err)
	var status syscall.WaitStatus
	var usage syscall.Rusage
	_, err = syscall.Wait4(pid, &status, 0, &usage)
	die(err)
	os.Stdout.WriteString(strconv.FormatInt(usage.Maxrss, 10) + "\n")
	os.Exit(status.ExitStatus())
}

func die(err error) {
	if err != nil {
		os.Stderr.WriteString("peak: " + err.Error() + "\n")
		os.Exit(1)
	}
}
