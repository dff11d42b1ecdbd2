package main

import (
	"context"
	"io"
	"os"

	"github.com/vbauerster/mpb/v8/cwriter"

	"thinmount/cmd/thin-snap/internal/signals"
	"thinmount/lib/helper"
	"thinmount/lib/thin"
)

// system is the part of lib/thin that the commands use. Tests replace it, so
// that they need neither root nor a kernel.
type system interface {
	CreatePool(ctx context.Context, spec thin.PoolSpec) error
	Pools(ctx context.Context) ([]thin.PoolInfo, error)
	PoolNames(ctx context.Context) ([]string, error)
	Pool(ctx context.Context, name string) (thin.PoolInfo, error)
	ActivatePool(ctx context.Context, name string) error
	DeactivatePool(ctx context.Context, name string, o thin.DeactivateOptions) error
	DeletePool(ctx context.Context, name string, withVolumes bool) error
	GrowPool(ctx context.Context, spec thin.GrowSpec) error
	SetPool(ctx context.Context, name string, set thin.Settings) error
	Create(ctx context.Context, spec thin.CreateSpec) error
	Snapshot(ctx context.Context, origin thin.Volume, name string, o thin.SnapshotOptions) error
	Rename(ctx context.Context, volume thin.Volume, name string) error
	Resize(ctx context.Context, spec thin.ResizeSpec) (size int64, err error)
	Trim(ctx context.Context, volume thin.Volume) (freed int64, err error)
	Rollback(ctx context.Context, volume thin.Volume, from string,
		o thin.RollbackOptions) (kept thin.Volume, err error)
	Ensure(ctx context.Context, spec thin.CreateSpec) (made bool, err error)
	EnsureSnapshot(ctx context.Context, origin thin.Volume, name string,
		o thin.SnapshotOptions) (made bool, err error)
	DeleteAll(ctx context.Context, volumes []thin.Volume, o thin.DeleteOptions,
		done func(thin.Volume, error)) error
	Format(ctx context.Context, volume thin.Volume, fs, label string, force bool) error
	Volumes(ctx context.Context, pool string) ([]thin.VolumeInfo, error)
	Volume(ctx context.Context, volume thin.Volume) (thin.VolumeInfo, error)
	Origin(ctx context.Context, volume thin.Volume) (*thin.Volume, error)
	Activate(ctx context.Context, volume thin.Volume) (device string, err error)
	Deactivate(ctx context.Context, volume thin.Volume) error
	SetProperties(ctx context.Context, volume thin.Volume, set thin.Properties) error
	UnsetProperties(ctx context.Context, volume thin.Volume, keys []string) error
	Run(ctx context.Context, r thin.RunRequest) (thin.RunResult, error)
	Recover(ctx context.Context, pool string) error
	Tidy(ctx context.Context) error
	CheckPool(ctx context.Context, name string) ([]thin.Finding, error)
	RepairPool(ctx context.Context, name string, agreed []thin.Finding) ([]thin.Finding, error)
	CheckStrays(ctx context.Context) ([]thin.Finding, error)
	RepairStrays(ctx context.Context, agreed []thin.Finding) ([]thin.Finding, error)
}

// hooks are the options of a system that a command line sets.
type hooks struct {
	debug    bool
	warn     func(message string)
	wait     func(message string)
	progress func(what string, done, total int64)
}

// env is what a run takes from outside its arguments.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	// stdinTTY: a person can answer a question; stderrTTY: a person watches.
	stdinTTY, stderrTTY bool
	uid                 int
	version             string
	newSystem           func(hooks) (system, error)
}

// newEnv returns the env of the real program.
func newEnv() env {
	return env{
		stdin:     os.Stdin,
		stdout:    signals.NewPipe(os.Stdout),
		stderr:    os.Stderr,
		stdinTTY:  cwriter.IsTerminal(int(os.Stdin.Fd())),
		stderrTTY: cwriter.IsTerminal(int(os.Stderr.Fd())),
		uid:       os.Geteuid(),
		version:   programVersion(),
		newSystem: newSystem,
	}
}

// newSystem returns lib/thin for this machine.
func newSystem(h hooks) (system, error) {
	if h.debug {
		if err := os.Setenv("THIN_DEBUG", "1"); err != nil {
			return nil, err
		}
	}
	s := thin.Default()
	s.Warn = func(m thin.Message) { h.warn(helper.Words(m)) }
	s.Wait = func(m thin.Message) { h.wait(helper.Words(m)) }
	s.Progress = h.progress
	return s, nil
}
