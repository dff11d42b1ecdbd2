package thinpool

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
	"thinmount/lib/spec"
)

// The meanings of a message's errno (drivers/md/dm-thin.c, pool_message; what
// it calls is in dm-thin-metadata.c), and of a Confirm that fails.
var (
	// EEXIST (__create_thin, __create_snap).
	ErrIDExists = errors.New("thin id is in use")
	// ENODATA (dm_btree_lookup).
	ErrNoSuchID = errors.New("no such thin id")
	// EBUSY (__delete_device).
	ErrIDInUse = errors.New("thin id is active")
	// EOPNOTSUPP (pool_message).
	ErrReadOnly = errors.New("pool refuses messages")
	// EINVAL (dm_pool_set_metadata_transaction_id).
	ErrTransaction = errors.New("pool is at another transaction id")
	// No errno: the status says so.
	ErrNotCommitted = errors.New("pool did not commit the change")
)

// Damaged reports whether the kernel has refused a block of metadata: for its
// number (ENOTBLK), its checksum (EILSEQ), or what it holds (EBADMSG;
// drivers/md/persistent-data, dm-btree-spine.c and dm-space-map-common.c).
func Damaged(err error) bool {
	return errors.Is(err, unix.ENOTBLK) || errors.Is(err, unix.EILSEQ) ||
		errors.Is(err, unix.EBADMSG)
}

// Pool sends messages to one pool. Its methods may be called concurrently: the
// kernel carries out one message after the other.
//
// Each message that succeeds is a commit of its own: the data is flushed, the
// metadata is written and flushed, and then the superblock (dm-thin-metadata.c,
// __commit_transaction). That is most of its time, some milliseconds on a disk,
// and there is no message for several devices.
type Pool struct {
	dm  *dm.Control
	ref dm.Ref
}

// New returns the pool whose device has that dm uuid. The pool need not be
// active yet: its methods return dm.ErrNotExist until it is.
func New(c *dm.Control, uuid string) *Pool { return &Pool{dm: c, ref: dm.ByUUID(uuid)} }

// Status asks for the pool's status. It makes the pool commit nothing, and so
// does not wait for its disks.
func (p *Pool) Status() (Status, error) {
	targets, _, err := p.dm.Status(p.ref, dm.StatusNoFlush)
	if err != nil {
		return Status{}, err
	}
	// Somebody else may have loaded another table under our uuid.
	if len(targets) != 1 || targets[0].Type != "thin-pool" {
		return Status{}, fmt.Errorf("%s: not a thin-pool: %v", p.ref, targets)
	}
	return ParseStatus(targets[0].Params)
}

// commit makes the pool commit what it has changed (drivers/md/dm-thin.c,
// pool_status without DM_STATUS_NOFLUSH_FLAG). Whether it could, Confirm says.
func (p *Pool) commit() error {
	_, _, err := p.dm.Status(p.ref, 0)
	return err
}

// CreateThin makes an empty thin device. An id that exists is ErrIDExists. The
// change is committed when Confirm says so. It takes about one block of
// metadata, and no data. The kernel does not know the size: that is in the
// table alone.
func (p *Pool) CreateThin(id spec.ID) error {
	return p.send(map[unix.Errno]error{unix.EEXIST: ErrIDExists}, "create_thin %d", id)
}

// CreateSnapshot makes a snapshot of origin under a new id. An active origin
// must be suspended meanwhile, which the kernel does not enforce: blocks that
// are being written would be shared half-written. The snapshot takes the root
// of the origin's tree, whatever the size (dm-thin-metadata.c, __create_snap);
// from then on the first write to a block copies it, in either device. The
// change is committed when Confirm says so.
func (p *Pool) CreateSnapshot(id, origin spec.ID) error {
	meanings := map[unix.Errno]error{unix.EEXIST: ErrIDExists, unix.ENODATA: ErrNoSuchID}
	return p.send(meanings, "create_snap %d %d", id, origin)
}

// Delete deletes a thin device. One that is active is ErrIDInUse, one that does
// not exist is ErrNoSuchID. Its blocks go back to the pool, and the data device
// gets no discard for them: a file below keeps its size. The message takes time
// for each node of metadata that no other device shares. The change is
// committed when Confirm says so. A device that the kernel is just removing is
// active until the table is gone, so that EBUSY may pass by itself.
func (p *Pool) Delete(id spec.ID) error {
	meanings := map[unix.Errno]error{unix.ENODATA: ErrNoSuchID, unix.EBUSY: ErrIDInUse}
	return p.send(meanings, "delete %d", id)
}

// SetTransactionID moves the pool from one transaction id to another, if it is
// at the first; otherwise the error is ErrTransaction and nothing has changed.
// The kernel keeps the number in the superblock, and never changes it by
// itself. So it tells that another program, or an older copy of the catalog,
// has changed the pool: each command that changes it moves the number first.
func (p *Pool) SetTransactionID(from, to uint64) error {
	meanings := map[unix.Errno]error{unix.EINVAL: ErrTransaction}
	return p.send(meanings, "set_transaction_id %d %d", from, to)
}

// send sends one message to sector 0, and gives an errno the meaning that it
// has for this message. A caller holds the lock of the pool: the kernel takes
// the messages of all programs, and knows no transaction of several.
func (p *Pool) send(meanings map[unix.Errno]error, format string, args ...any) error {
	_, err := p.dm.Message(p.ref, 0, fmt.Sprintf(format, args...))
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return err
	}
	// From PM_OUT_OF_METADATA_SPACE on, the pool refuses every message, the
	// delete that would make room, too. One that is out of data takes them.
	meanings[unix.EOPNOTSUPP] = ErrReadOnly
	if m := meanings[errno]; m != nil {
		return fmt.Errorf("%w: %w", m, err)
	}
	return err
}

// Confirm returns nil if the messages that were sent before are committed, and
// an ErrNotCommitted otherwise. The kernel commits after each message, and
// answers it with success also if the commit fails: then the pool becomes
// read-only (drivers/md/dm-thin.c, pool_message and commit). A later message
// may have failed as well: Confirm cannot tell which one it was.
func (p *Pool) Confirm() error {
	s, err := p.Status()
	if err != nil {
		return err
	}
	if err := s.Writable(); err != nil {
		return fmt.Errorf("%w: %w", ErrNotCommitted, err)
	}
	return nil
}
