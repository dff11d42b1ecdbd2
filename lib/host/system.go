package host

import (
	"context"
	"fmt"
	"os"
	"time"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/fault"
	"thinmount/lib/mount"
	"thinmount/lib/refcount"
)

// KernelHasThin returns an error if the kernel has no thin-pool target. To ask
// for the target's version makes the kernel load its module.
func (s *System) KernelHasThin(c *dm.Control) error {
	if _, err := c.TargetVersion("thin-pool"); err != nil {
		return &fault.Error{
			Object: "kernel",
			Err:    fault.Wrap(fault.ErrNoKernel, fmt.Errorf("has no thin-pool target: %w", err)),
			Remedy: fault.Hint("modprobe dm_thin_pool"),
		}
	}
	return nil
}

// System says where state lives and which functions tell the caller about
// progress. Its zero value cannot be used: begin with Default.
type System struct {
	StateDir string // catalogs, and files of pools that were given no path
	RunDir   string // locks and references
	RunMount string // where a program that runs in a volume sees it: the same for all
	MountDir string // folder of libmount's utab
	Fstab    string // path of fstab(5)

	// Deadline limits the time of all waits of one use case together.
	Deadline time.Duration

	// Warn receives what went wrong without stopping the use case.
	Warn func(fault.Message)
	// Step receives what is done next, for -v.
	Step func(string)
	// Wait receives what the use case waits for, once it has waited for a
	// second. It may be called from another goroutine.
	Wait func(fault.Message)
	// Progress receives how far a long step has come (bytes); total is 0 if it
	// is unknown.
	Progress func(what string, done, total int64)
	// Output receives what the mkfs programs print; nil drops it.
	Output *os.File
}

// Default returns the System of this machine. Its functions do nothing.
func Default() *System {
	return &System{
		StateDir: "/var/lib/thin",
		RunDir:   "/run/thin",
		RunMount: "/run/thin-volume",
		MountDir: "/run/mount",
		Fstab:    "/etc/fstab",
		Deadline: 60 * time.Second,
		Warn:     func(fault.Message) {},
		Step:     func(string) {},
		Wait:     func(fault.Message) {},
		Progress: func(string, int64, int64) {},
	}
}

// Catalogs returns the store of the pools' catalogs.
func (s *System) Catalogs() catalog.Store { return catalog.Store{Dir: s.StateDir} }

// Refs returns the store of locks and references.
func (s *System) Refs() refcount.Store { return refcount.Store{Dir: s.RunDir} }

// Utab returns libmount's table of mounts.
func (s *System) Utab() mount.Utab { return mount.Utab{Dir: s.MountDir} }

// Stepf formats a step and passes it to Step.
func (s *System) Stepf(format string, args ...any) { s.Step(fmt.Sprintf(format, args...)) }

// Warnf formats a warning and passes it to Warn. Write %v for a fault.Remedy
// among args.
func (s *System) Warnf(format string, args ...any) { s.Warn(fault.Sayf(format, args...)) }

// Kernel opens device-mapper. It first checks that the caller is root, because
// every later step would fail with a worse message. The caller closes the
// Control.
func (s *System) Kernel() (*dm.Control, error) {
	if os.Geteuid() != 0 {
		return nil, &fault.Error{Err: fault.ErrPermission, Remedy: fault.RunAsRoot{}}
	}
	c, err := dm.Open()
	return c, OpenError(err)
}

// Use opens device-mapper and calls do for one use case. The context of do ends
// at Deadline at the latest, and so do all waits of the use case.
func (s *System) Use(ctx context.Context, do func(context.Context, *dm.Control) error) error {
	ctx, cancel := s.Waiting(ctx)
	defer cancel()
	c, err := s.Kernel()
	if err != nil {
		return err
	}
	defer c.Close()
	return do(ctx, c)
}
