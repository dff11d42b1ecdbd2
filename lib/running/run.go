package running

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/dm"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/filelock"
	"thinmount/lib/host"
	"thinmount/lib/job"
	"thinmount/lib/kmsg"
	"thinmount/lib/mounting"
	"thinmount/lib/refcount"
	"thinmount/lib/registry"
	"thinmount/lib/spec"
	"thinmount/lib/volumes"
)

// Request says what to run, and in which volume.
type Request struct {
	// Volume is the volume to run in. If Origin is set, it is a snapshot of
	// that, which Run makes; its Name may be empty.
	Volume spec.Volume
	Origin *spec.Volume
	Key    string // of the snapshot: if there is one with that key, nothing runs
	// Replace deletes a snapshot of that name first, if it has another key or
	// another origin.
	Replace bool
	// Ephemeral deletes the snapshot in any case. KeepFailed keeps it even if
	// the program fails.
	Ephemeral, KeepFailed bool
	Force                 bool // make it even if less than the pool's margin is free

	Options string   // of the mount, as after -o
	Chroot  bool     // the volume is the program's root folder
	Args    []string // the program, and what it is told
}

// Result tells what Run has done.
type Result struct {
	Volume spec.Volume
	Ran    bool // false: there was a volume with that key
	Status int  // of the program, as a shell has it: 128 and the signal's number
	Kept   bool // the new snapshot exists
}

// Run runs a program in a volume, which it mounts where nobody else sees it. It
// returns when the program has ended, all processes that it has started are
// gone, and the volume is unmounted. An error says what thinmount itself could
// not do; a program that fails is none. If Run is killed, the kernel ends the
// program, the mount and the device, and a later command deletes a snapshot
// that was made for it.
//
// Signals do not end Run while the program runs: the program gets them. The
// goroutine is locked to a thread that lives as long as the process.
func Run(ctx context.Context, s *host.System, r Request) (Result, error) {
	res := Result{Volume: r.Volume}
	c, err := s.Kernel()
	if err != nil {
		return res, err
	}
	defer c.Close()
	d, err := mounting.NewDetached(s, c, r.Options, s.RunMount)
	if err != nil {
		return res, err
	}
	// Only root can make it, and inside a run it is a volume's root folder.
	if err := os.Mkdir(s.RunMount, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return res, err
	}
	run := running{System: s, c: c, r: r, d: d}
	defer run.close()
	if r.Origin != nil {
		return run.inNew(ctx)
	}
	return run.inExisting(ctx)
}

// running is one call of Run.
type running struct {
	*host.System
	c   *dm.Control
	r   Request
	d   *mounting.Detached
	job *job.Job
}

func (r *running) close() {
	if r.job != nil {
		r.job.Close()
	}
}

// inExisting runs the program in an existing volume. As for a mount, the
// volume's lock is given back while the kernel reads the disk; the mount lock
// is kept until others see the mount.
func (r *running) inExisting(ctx context.Context) (Result, error) {
	res := Result{Volume: r.r.Volume}
	wait, cancel := r.Waiting(ctx)
	defer cancel()
	ref, v, err := registry.LockKnown(wait, r.System, r.r.Volume)
	if err != nil {
		return res, err
	}
	defer ref.Close()
	rec, err := registry.ReconcileUnmounted(r.System, r.c, ref, v)
	if err != nil {
		return res, err
	}
	turn, err := r.Refs().TryMountLock(v.Spec())
	if errors.Is(err, filelock.ErrLocked) {
		return res, registry.BeingMounted(v.Spec())
	}
	if err != nil {
		return res, &fault.Error{Object: v.Spec().String(), Err: err}
	}
	defer turn.Unlock()
	err = r.activate(wait, rec, v)
	ref.Close()
	if err != nil {
		r.d.Undo(ctx)
		return res, err
	}
	res.Status, err = r.run(ctx, wait, v, job.SyncAlways, func() { turn.Unlock() })
	res.Ran = r.job != nil
	if res.Ran && !errors.Is(err, job.ErrLeft) {
		r.freed(ctx, v)
	}
	return res, err
}

// activate makes the device of an existing volume that nobody uses.
func (r *running) activate(ctx context.Context, rec refcount.Record, v catalog.Volume) error {
	p, err := engine.OpenActive(ctx, r.System, r.c, v.Pool, engine.Shared)
	if err != nil {
		return err
	}
	defer p.Close()
	return r.d.Activate(ctx, p, rec, v, false)
}

// inNew runs the program in a new snapshot. The snapshot's lock is held all the
// time: it shows that the command lives, and those wait for it who want a
// snapshot with the same key.
func (r *running) inNew(ctx context.Context) (Result, error) {
	want := volumes.ForRun{
		Origin: *r.r.Origin, Name: r.r.Volume.Name, Key: r.r.Key, Replace: r.r.Replace,
		Force: r.r.Force}
	made, volume, err := volumes.MakeForRun(ctx, r.System, r.c, want,
		func(ctx context.Context, p *engine.Pool, v catalog.Volume) error {
			return r.d.Activate(ctx, p, refcount.Record{}, v, true)
		})
	res := Result{Volume: volume}
	if err != nil || made == nil {
		return res, err
	}
	sync := job.SyncSuccess
	switch {
	case r.r.Ephemeral:
		sync = job.SyncNever
	case r.r.KeepFailed:
		sync = job.SyncAlways
	}
	wait, cancel := r.Waiting(ctx)
	defer cancel()
	res.Status, err = r.run(ctx, wait, made.Volume(), sync, func() {})
	res.Ran = r.job != nil
	well := err == nil && res.Status == 0
	if r.r.Ephemeral || !well && !(r.r.KeepFailed && res.Ran) {
		made.Drop(ctx)
		return res, err
	}
	r.waitRemoved(ctx, made.Volume())
	kept := made.Keep(ctx, well)
	res.Kept = kept == nil
	return res, errors.Join(err, kept)
}

// run mounts the activated volume and runs the program in it. It calls started
// when the program runs, and others can see the mount. After an error before
// that r.job is nil, and the volume's device is gone.
func (r *running) run(
	ctx, wait context.Context, v catalog.Volume, sync job.Sync, started func(),
) (status int, err error) {
	log := kmsg.Begin()
	defer log.Close()
	device := r.d.Device()
	mount, err := r.d.Mount(wait)
	if err != nil {
		return 0, err
	}
	j, err := r.start(ctx, v, mount, sync)
	mount.Close()
	if err != nil {
		r.d.Undo(ctx)
		return statusOf(err)
	}
	r.job = j
	started()
	done := func() {}
	res, err := j.Wait(func() {
		done = r.WaitingFor(fault.Sayf("what was written in %s to be on disk", v.Spec().String()))
	})
	done()
	if errors.Is(err, job.ErrLeft) {
		return res.Status, &fault.Error{Object: v.Spec().String(),
			Err:    fault.Wrap(fault.ErrPoolState, err),
			Remedy: fault.ShowPool{Pool: v.Pool}}
	}
	if err == nil && sync != job.SyncNever {
		err = r.lost(v, res.Lost, log.Messages(device), device)
	}
	return res.Status, err
}

// start starts the program, unless a signal has come before.
func (r *running) start(
	ctx context.Context, v catalog.Volume, mount *os.File, sync job.Sync,
) (*job.Job, error) {
	if ctx.Err() != nil {
		return nil, fault.WaitError(v.Spec().String(), ctx.Err())
	}
	dir := r.RunMount
	if r.r.Chroot {
		dir = "/"
	}
	j, err := job.Start(job.Request{Mount: mount, Dir: r.RunMount, Chroot: r.r.Chroot,
		Args: r.r.Args, Sync: sync,
		Env: []string{"THIN_DIR=" + dir, "THIN_VOLUME=" + v.Spec().String()}})
	if err == nil && ctx.Err() != nil { // the signal came before the program could get it
		j.Signal(unix.SIGTERM)
	}
	return j, err
}

// statusOf returns the exit status for a program that could not be started,
// with the error.
func statusOf(err error) (int, error) {
	e := &fault.Error{Err: err}
	exec, program := errors.AsType[*job.ExecError](err)
	switch {
	case program:
		return exec.Status(), e
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		e.Remedy = fault.Hint("something keeps root from making namespaces and mounts in here: " +
			"a sandbox, a container or a security module")
	case errors.Is(err, unix.ENOSYS):
		e.Remedy = fault.Hint("it takes Linux 5.2 or newer")
	}
	return 0, e
}
