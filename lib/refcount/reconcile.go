package refcount

import (
	"slices"

	"thinmount/lib/spec"
)

// MountPoint is one mount of a volume's device in our mount namespace.
type MountPoint struct {
	ID   int    // mountinfo's mount ID
	Path string // mount point
	Root string // the mounted folder of the filesystem: not "/" for bind mounts and subvolumes
}

// Observed is what the kernel says about a volume.
type Observed struct {
	Mounts    []MountPoint // in mountinfo's order: of two mounts at one path the later is on top
	OpenCount int          // of the dm device, less the caller's own descriptors
	Active    bool         // the dm device exists
	Dev       string       // "253:5"
	PoolUUID  string       // the volume's identity, from the catalog
	ThinID    spec.ID

	Namespace uint64 // the mount namespace of Mounts, as in Record; 0 is not known

	// Lives reports that the recorded mount was found in another mount
	// namespace, or below another root. The caller looks for it if
	// Record.Unseen says so.
	Lives bool
}

// Reconcile returns the record as far as the kernel agrees with it. It writes
// nothing and needs no lock; Ref.Reconcile writes.
//
// A record of another volume of the same name, or of an earlier activation (the
// device number has changed), says nothing. A device that is not active has
// neither references nor a hold. A recorded mount that lives in another mount
// namespace keeps its references, with Elsewhere set: mounts of it in our
// namespace are copies, which count nothing. A mount at the recorded path keeps
// its references, and so does the recorded mount when it has been moved. Any
// other mount is one reference, as if there were no record: first choice is one
// that shows the whole filesystem. Without a mount there are no references;
// Elsewhere tells that the device is open.
func (r Record) Reconcile(o Observed) Record { return reconcile(r, o) }

func reconcile(r Record, o Observed) Record {
	if !o.Active || stale(r, o) {
		r = Record{Volume: r.Volume, Device: r.Device}
	}
	r.PoolUUID, r.ThinID, r.Elsewhere = o.PoolUUID, o.ThinID, false
	if !o.Active {
		return r
	}
	r.Dev = o.Dev
	if o.Lives && r.Unseen(o) {
		r.Elsewhere = true
		return r
	}
	if r.abroad(o) {
		r = r.unmounted()
	}
	if len(o.Mounts) > 0 {
		return r.at(o)
	}
	r = r.unmounted()
	r.Elsewhere = o.OpenCount > 0
	return r
}

// Unseen tells whether the record claims a mount that is not among the observed
// ones: it is in another mount namespace, below another root (chroot(2)), or
// gone. Only then does Observed.Lives matter.
func (r Record) Unseen(o Observed) bool {
	if !o.Active || o.OpenCount == 0 || r.References == 0 || stale(r, o) {
		return false
	}
	recorded := func(m MountPoint) bool { return m.ID == r.MountID }
	return r.abroad(o) || !slices.ContainsFunc(o.Mounts, recorded)
}

// abroad tells whether the record is about a mount in another mount namespace.
func (r Record) abroad(o Observed) bool {
	return r.References > 0 && r.Namespace != 0 && o.Namespace != 0 && r.Namespace != o.Namespace
}

// stale reports whether the record belongs to another volume, or to another
// activation of it, or is invalid (flaw).
func stale(r Record, o Observed) bool {
	return r.flaw() != "" || r.PoolUUID != o.PoolUUID || r.ThinID != o.ThinID ||
		(o.Active && r.Dev != o.Dev)
}

// unmounted is the record without a mount.
func (r Record) unmounted() Record {
	r.MountedOn, r.MountID, r.References, r.Namespace, r.Below = "", 0, 0, 0, ""
	return r
}

// at is the record of a volume that has mounts.
func (r Record) at(o Observed) Record {
	m, known := r.choose(o.Mounts)
	if !known || r.References < 1 {
		r.References = 1
	}
	if m.ID != r.MountID || m.Path != r.MountedOn {
		r.Below = ""
	}
	r.MountedOn, r.MountID, r.Namespace = m.Path, m.ID, o.Namespace
	return r
}

// choose finds the mount that the record is about, or, if it is about none of
// them, the one that it should be about from now on. Mount IDs are used again
// as soon as they are free, so the path counts for more than the ID.
func (r Record) choose(mounts []MountPoint) (m MountPoint, known bool) {
	rank := 0
	for _, c := range mounts {
		if n := r.rank(c); n > rank || n == rank && n == samePath {
			m, rank = c, n
		}
	}
	return m, rank >= sameID
}

// How sure it is that a mount is the recorded one.
const (
	anyMount = iota + 1
	wholeFilesystem
	sameID
	samePath // of several the last: it is on top
	sameMount
)

func (r Record) rank(m MountPoint) int {
	switch path, id := m.Path == r.MountedOn, m.ID == r.MountID; {
	case path && id:
		return sameMount
	case path:
		return samePath
	case id:
		return sameID
	case m.Root == "/":
		return wholeFilesystem
	}
	return anyMount
}
