package thin

import (
	"golang.org/x/sys/unix"

	"thinmount/lib/catalog"
	"thinmount/lib/refcount"
	"thinmount/lib/thinpool"
)

// suit refuses a mount that the pool's state would let fail half way or hang,
// and makes it read-only where the pool is, as mount(8) does for a disk that
// is write-protected.
func (m *mounting) suit(p *pool, rec refcount.Record) error {
	st, err := p.thin.Status()
	if err != nil {
		return p.fail(wrap(ErrPoolState, err))
	}
	switch {
	case st.Failed():
		return p.inState(st)
	case st.Queues() && rec.Elsewhere:
		return &Error{Object: m.request.Spec, Err: reason(ErrBusy, "unmounted, but its last writes wait for room in the pool"), Hint: Hint(p.inState(st))}
	case m.options.ReadOnly:
	case st.Writable() != nil:
		m.warn("%v: mounting %s read-only (%s)", p.inState(st), m.request.Spec, Hint(p.inState(st)))
		m.makeReadOnly()
	case st.Queues():
		return &Error{Err: p.inState(st), Hint: Hint(p.inState(st)) + ", or mount -o ro"}
	case st.Mode != thinpool.ModeRW:
		m.warn("%v (%s)", p.inState(st), Hint(p.inState(st)))
		m.wayOut = Hint(p.inState(st)) + ", or mount -o ro"
	default:
		m.warnFull(p, st)
	}
	if st.Writable() != nil {
		m.wayOut = "a journal cannot always be replayed in a read-only pool: mount without, -o ro,noload (ext4) or ro,norecovery (xfs)"
	}
	return nil
}

// warnFull tells whoever mounts a volume that the filesystem below the pool's
// files is full.
func (m *mounting) warnFull(p *pool, st thinpool.Status) {
	cfg := p.cat.Pool()
	if r := roomBelow(cfg); r.full(cfg, st) != "" {
		m.warn("pool %s: %s: writes that need room fail (%s)", cfg.Name, r.full(cfg, st), r.hint())
	}
}

func (m *mounting) makeReadOnly() {
	m.options.ReadOnly = true
	m.options.Flags |= unix.MS_RDONLY
}

// suitRemount refuses to make a mount writable in a pool that is read-only, or
// whose writes would wait.
func (m *mounting) suitRemount(v catalog.Volume) error {
	cat, err := m.openCatalog(v.Pool)
	if err != nil {
		return err
	}
	p := &pool{sys: m.System, dm: m.c, cat: cat}
	st, err := poolStatus(m.c, v.PoolUUID)
	if err != nil {
		return p.fail(wrap(ErrPoolState, err))
	}
	if st.Writable() != nil || st.Queues() {
		return p.inState(st)
	}
	return nil
}
