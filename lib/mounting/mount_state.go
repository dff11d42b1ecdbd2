package mounting

import (
	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/engine"
	"thinmount/lib/fault"
	"thinmount/lib/health"
	"thinmount/lib/host"
	"thinmount/lib/refcount"
	"thinmount/lib/thinpool"
)

// checkPoolState refuses a mount that would hang or fail half way in the pool's
// present state. If the pool is read-only it makes the mount read-only, as
// mount(8) does for a disk that is write-protected. It sets m.wayOut.
func (m *mounting) checkPoolState(p *engine.Pool, rec refcount.Record) error {
	st, err := p.Target.Status()
	if err != nil {
		return p.Wrap(fault.Wrap(fault.ErrPoolState, err))
	}
	switch {
	case st.Failed():
		return p.InState(st)
	case st.Queues() && rec.Elsewhere:
		return &fault.Error{Object: m.request.Spec,
			Err: fault.Errorf(fault.ErrBusy,
				"unmounted, but its last writes wait for room in the pool"),
			Remedy: host.RemedyOf(p.InState(st))}
	case m.options.ReadOnly:
	case st.Writable() != nil:
		m.Warnf("%v: mounting %s read-only (%v)", p.InState(st), m.request.Spec,
			host.RemedyOf(p.InState(st)))
		m.makeReadOnly()
	case st.Queues():
		return &fault.Error{Err: p.InState(st), Remedy: orReadOnly(host.RemedyOf(p.InState(st)))}
	case st.Mode != thinpool.ModeRW:
		m.Warnf("%v (%v)", p.InState(st), host.RemedyOf(p.InState(st)))
		m.wayOut = orReadOnly(host.RemedyOf(p.InState(st)))
	default:
		m.warnFull(p, st)
	}
	if st.Writable() != nil {
		m.wayOut = fault.Hint(
			"a journal cannot always be replayed in a read-only pool: mount without, -o " +
				"ro,noload (ext4) or ro,norecovery (xfs)")
	}
	return nil
}

// orReadOnly adds a read-only mount to what helps.
func orReadOnly(r fault.Remedy) fault.Remedy { return fault.Sayf("%v, or mount -o ro", r) }

// warnFull warns if the filesystem below the pool's files is full.
func (m *mounting) warnFull(p *engine.Pool, st thinpool.Status) {
	cfg := p.Catalog.Pool()
	if r := health.RoomBelow(cfg); r.Full(cfg, st) != "" {
		m.Warnf("pool %s: %s: writes that need room fail (%v)", cfg.Name, r.Full(cfg, st),
			r.Remedy())
	}
}

func (m *mounting) makeReadOnly() {
	m.options.ReadOnly = true
	m.options.Flags |= unix.MS_RDONLY
}

// onlyRead makes the mount of a read-only volume read-only, as mount(8) does
// for a disk that is write-protected. It refuses a remount, which would change
// nothing.
func (m *mounting) onlyRead(v catalog.Volume) error {
	if !v.ReadOnly || m.options.ReadOnly {
		return nil
	}
	if m.options.Remount {
		return &fault.Error{Object: v.Spec().String(),
			Err: fault.Errorf(fault.ErrUsage, "read-only, as it was made"),
			Remedy: fault.Sayf("a snapshot of it can be written to: %v",
				fault.Snapshot{Volume: v.Spec()})}
	}
	m.Stepf("%s is read-only, and is mounted so", v.Spec())
	m.makeReadOnly()
	return nil
}
