// Package job runs a program in a filesystem that nobody else sees: in a mount
// namespace and a PID namespace of its own. When the program ends, or this
// process dies, the kernel ends all that the program has started and dissolves
// the mounts.
//
// A second process is the first one of the PID namespace. It puts the mount in
// its place, starts the program, and reaps what others leave. It dies with this
// process (PR_SET_PDEATHSIG, and a pipe that ends), and with it the kernel
// kills everything in the namespace (pid_namespaces(7)). No process can leave a
// PID namespace, so nothing has to be searched for: neither daemons nor
// children of a program that was killed.
//
// # Main must take part
//
// The second process is the same program (/proc/self/exe) started once more,
// with arguments that only RunIfChild knows. So main calls it before anything
// else:
//
//	func main() {
//		job.RunIfChild()
//		…
//	}
//
// A program without that call would run main again in the second process. It
// starts none: Start returns errNoEntry.
//
// # Signals
//
// The program stays in this process's group and session, as it would without
// us: ctrl-C and ctrl-Z at a terminal reach it, and job control works. The
// second process leaves the group, so that it gets only signals that are meant
// for it. Wait hands on the signals that come to this process alone.
package job
