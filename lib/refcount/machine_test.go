package refcount

import (
	"errors"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// machine runs helpers against a world and a real store. The model knows each
// mount by a serial number that is never used again, which the record cannot:
// what the record says must be what the model says wherever mount ID and path
// are no more ambiguous than that.
type machine struct {
	t       *rapid.T
	s       Store
	w       world
	primary int // serial of the mount that is counted; 0 if there is none
	count   int // its references
	path    string
	id      int
	ns      uint64 // its mount namespace
}

var (
	paths = rapid.SampledFrom([]string{"/a", "/b", "/c"})
	// from where a command looks
	places = rapid.SampledFrom([]uint64{home, home, home, 2, namespaces})
)

func (m *machine) alive() bool {
	return m.primary != 0 &&
		slices.ContainsFunc(m.w.mounts, func(x worldMount) bool { return x.serial == m.primary })
}

// judge compares a record that was reconciled in a mount namespace with the
// model.
func (m *machine) judge(r Record, ns uint64) {
	if reason := r.flaw(); reason != "" {
		m.t.Fatalf("impossible record: %s", reason)
	}
	seen := m.w.seen(ns)
	switch {
	case m.alive():
		m.want(r, r.Elsewhere == (m.ns != ns), m.count)
	case m.count > 0 && m.w.claimed(m.id, m.path, m.ns):
		// another mount at the same path, or with the same ID, cannot be told
		// from the recorded one
		m.want(r, true, 0, 1, m.count)
	case seen == 0:
		m.want(r, r.Elsewhere == (m.w.open() > 0), 0)
	default:
		m.want(r, !r.Elsewhere, 1)
	}
	if r.MountedOn != "" && !r.Elsewhere && m.w.top(r.MountedOn, ns) < 0 {
		m.t.Fatalf("nothing is mounted at %s: %+v", r.MountedOn, m.w.mounts)
	}
}

func (m *machine) want(r Record, flag bool, refs ...int) {
	if !flag || !slices.Contains(refs, r.References) {
		m.t.Fatalf("record %+v, want references %v; model %+v", r, refs, m)
	}
}

// begin is what every helper does first, in the mount namespace where it runs.
func (m *machine) begin(ns uint64) (*Ref, Record) {
	ref, err := m.s.TryLock(base)
	if err != nil {
		m.t.Fatal(err)
	}
	r, err := ref.Reconcile(m.w.observe(ns, ref.Record()))
	if err != nil {
		m.t.Fatal(err)
	}
	m.judge(r, ns)
	m.adopt(r, ns)
	return ref, r
}

// adopt lets the model follow a record that has been judged.
func (m *machine) adopt(r Record, ns uint64) {
	m.count = r.References
	switch {
	case r.References == 0:
		m.primary = 0
	case r.Elsewhere:
		ns = r.Namespace
		fallthrough
	default:
		if m.alive() && m.ns == ns &&
			m.w.mounts[max(m.w.top(r.MountedOn, ns), 0)].serial == m.primary {
			break
		}
		for _, x := range m.w.mounts {
			if x.id == r.MountID && x.path == r.MountedOn && x.ns == ns {
				m.primary = x.serial
			}
		}
	}
	m.path, m.id, m.ns = r.MountedOn, r.MountID, ns
}

// helper runs steps under the volume's lock, and dies before one of them or not
// at all.
func (m *machine) helper(ref *Ref, steps ...func() error) {
	die := rapid.IntRange(0, 2*len(steps)).Draw(m.t, "dies before step")
	var err error
	for i, step := range steps {
		if i != die {
			err = errors.Join(err, step())
			continue
		}
		break
	}
	if err = errors.Join(err, ref.Close()); err != nil { // the kernel does that for the dead
		m.t.Fatal(err)
	}
	m.w.settle()
}

func (m *machine) Mount(t *rapid.T) {
	m.t = t
	ns := places.Draw(t, "namespace")
	ref, r := m.begin(ns)
	path := paths.Draw(t, "path")
	var mounted worldMount
	switch {
	case r.Elsewhere, r.MountedOn != "" && r.MountedOn != path:
		m.helper(ref) // refuses, or there is a copy: counts nothing
	case r.MountedOn == path:
		m.helper(ref, func() error { m.count++; return ref.Add() })
	default:
		m.helper(ref,
			func() error { m.w.activate(rapid.IntRange(0, 1).Draw(t, "minor")); return nil },
			func() error { mounted = m.w.mount(path, ns); return nil },
			func() error {
				m.primary, m.count, m.path, m.id, m.ns = mounted.serial, 1, path, mounted.id, ns
				return ref.Save(Record{PoolUUID: "u1", ThinID: 7,
					Dev: m.w.observe(ns, Record{}).Dev, MountedOn: path, MountID: mounted.id,
					References: 1, Namespace: ns})
			})
	}
}

func (m *machine) Umount(t *rapid.T) {
	m.t = t
	ns := places.Draw(t, "namespace")
	ref, r := m.begin(ns)
	switch {
	case r.Elsewhere && r.References > 0: // a copy, if any: unmounted, and nothing is counted
		path := paths.Draw(t, "path")
		m.helper(ref, func() error { m.w.umount(path, ns); return nil })
	case r.References == 0:
		m.helper(ref)
	case r.References > 1:
		m.helper(ref, func() error { m.count--; return ref.Drop() })
	default:
		m.helper(ref,
			func() error { m.w.umount(r.MountedOn, ns); return nil },
			func() error { m.primary, m.count = 0, 0; return ref.Clear() })
	}
}

func (m *machine) MountByHand(t *rapid.T) {
	if m.w.active {
		m.w.mount(paths.Draw(t, "path"), places.Draw(t, "namespace"))
	}
}

func (m *machine) UmountByHand(t *rapid.T) {
	m.w.umount(paths.Draw(t, "path"), places.Draw(t, "namespace"))
}

func (m *machine) Move(t *rapid.T) {
	if i := m.w.top(paths.Draw(t, "from"), places.Draw(t, "namespace")); i >= 0 {
		m.w.mounts[i].path = paths.Draw(t, "to")
	}
}

// CloneNamespace is unshare(2): a copy of each mount, with IDs of their own.
func (m *machine) CloneNamespace(t *rapid.T) {
	from, to := places.Draw(t, "from"), uint64(rapid.IntRange(2, namespaces).Draw(t, "to"))
	if from == to || m.w.seen(to) > 0 {
		return
	}
	for _, x := range slices.Clone(m.w.mounts) {
		if x.ns == from {
			m.w.mount(x.path, to)
		}
	}
}

func (m *machine) EndNamespace(t *rapid.T) {
	ns := uint64(rapid.IntRange(2, namespaces).Draw(t, "namespace"))
	m.w.mounts = slices.DeleteFunc(m.w.mounts, func(x worldMount) bool { return x.ns == ns })
	m.w.settle()
}

func (m *machine) Hold(t *rapid.T) {
	m.w.pinned = !m.w.pinned
	m.w.settle()
}

func (m *machine) OpenRaw(t *rapid.T) {
	if m.w.active {
		m.w.raw++
	}
}

func (m *machine) CloseRaw(t *rapid.T) {
	m.w.raw = 0
	m.w.settle()
}

func (m *machine) DamageRecord(t *rapid.T) {
	path := m.s.recordPath(base)
	if err := os.Truncate(path, 10); err == nil {
		m.primary, m.count = 0, 0
	}
}

// Check looks on from outside, without a lock.
func (m *machine) Check(t *rapid.T) {
	m.t = t
	r, err := m.s.Read(base)
	if corrupt := (*CorruptError)(nil); errors.As(err, &corrupt) || errors.Is(err, ErrNoRecord) {
		r, err = Record{Volume: base}, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	ns := places.Draw(t, "seen from")
	m.judge(r.Reconcile(m.w.observe(ns, r)), ns)
}

func TestHelpersAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "refcount")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		m := &machine{t: t, s: Store{Dir: dir}}
		t.Repeat(rapid.StateMachineActions(m))
	})
}
