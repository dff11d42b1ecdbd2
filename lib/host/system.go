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

// KernelHasThin loads the module by asking for it.
func (s *System) KernelHasThin(c *dm.Control) error {
	if _, err := c.TargetVersion("thin-pool"); err != nil {
		return &fault.Error{Object: "kernel", Err: fault.Wrap(fault.ErrNoKernel, fmt.Errorf("has no thin-pool target: %w", err)), Remedy: fault.Hint("modprobe dm_thin_pool")}
	}
	return nil
}

// System says where state lives and how to talk to the caller. Its zero value
// is of no use: begin with Default.
type System struct {
	StateDir string // catalogs and embedded pools: /var/lib/thin
	RunDir   string // locks, references: /run/thin
	MountDir string // libmount's utab: /run/mount
	Fstab    string // /etc/fstab

	// Deadline bounds the waiting of one use case as a whole.
	Deadline time.Duration

	// Warn tells of something that did not stop the use case.
	Warn func(fault.Message)
	// Step tells what is being done, for -v.
	Step func(string)
	// Wait tells what is waited for, once that has taken a second. It may be
	// called from another goroutine.
	Wait func(fault.Message)
	// Progress tells how far a long step is; total is 0 when unknown.
	Progress func(what string, done, total int64)
	// Output receives what mkfs programs print; nil drops it.
	Output *os.File
}

// Default returns the System of this machine.
func Default() *System {
	return &System{
		StateDir: "/var/lib/thin",
		RunDir:   "/run/thin",
		MountDir: "/run/mount",
		Fstab:    "/etc/fstab",
		Deadline: 60 * time.Second,
		Warn:     func(fault.Message) {},
		Step:     func(string) {},
		Wait:     func(fault.Message) {},
		Progress: func(string, int64, int64) {},
	}
}

func (s *System) Catalogs() catalog.Store { return catalog.Store{Dir: s.StateDir} }

func (s *System) Refs() refcount.Store { return refcount.Store{Dir: s.RunDir} }

func (s *System) Utab() mount.Utab { return mount.Utab{Dir: s.MountDir} }

func (s *System) Stepf(format string, args ...any) { s.Step(fmt.Sprintf(format, args...)) }

// Warnf warns. A fault.Remedy among args stands at a %v.
func (s *System) Warnf(format string, args ...any) { s.Warn(fault.Sayf(format, args...)) }

// Kernel opens device-mapper after the cheap checks that would make every
// later step fail with a worse message.
func (s *System) Kernel() (*dm.Control, error) {
	if os.Geteuid() != 0 {
		return nil, &fault.Error{Err: fault.ErrPermission, Remedy: fault.RunAsRoot{}}
	}
	c, err := dm.Open()
	return c, OpenError(err)
}

// Use opens device-mapper for one use case, all of whose waits end at one
// deadline.
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
