package thinpool

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"thinmount/lib/dm"
)

// What a message's errno means (dm-thin.c, pool_message and below).
var (
	ErrIDExists     = errors.New("thin id is in use")
	ErrNoSuchID     = errors.New("no such thin id")
	ErrIDInUse      = errors.New("thin id is active")
	ErrReadOnly     = errors.New("pool refuses messages")
	ErrTransaction  = errors.New("pool is at another transaction id")
	ErrNotCommitted = errors.New("pool did not commit the change")
)

// Damaged reports whether the kernel has found metadata damaged: a block that is
// not what it should be, by its number (ENOTBLK), its checksum (EILSEQ), or what
// it holds (EBADMSG; persistent-data/dm-btree-spine.c, dm-space-map-common.c).
func Damaged(err error) bool {
	return errors.Is(err, unix.ENOTBLK) || errors.Is(err, unix.EILSEQ) || errors.Is(err, unix.EBADMSG)
}

// Pool sends messages to one pool. Its methods may be called concurrently; the
// kernel puts them in order.
type Pool struct {
	dm  *dm.Control
	ref dm.Ref
}

// New returns the pool whose device has that uuid. It need not be active yet.
func New(c *dm.Control, uuid string) *Pool { return &Pool{dm: c, ref: dm.ByUUID(uuid)} }

// Status asks for the pool's status without making it commit.
func (p *Pool) Status() (Status, error) {
	targets, _, err := p.dm.Status(p.ref, dm.StatusNoFlush)
	if err != nil {
		return Status{}, err
	}
	if len(targets) != 1 || targets[0].Type != "thin-pool" {
		return Status{}, fmt.Errorf("%s: not a thin-pool: %v", p.ref, targets)
	}
	return ParseStatus(targets[0].Params)
}

// CreateThin makes an empty thin device. That the message returned is not
// enough: see Confirm.
func (p *Pool) CreateThin(id ID) error {
	return p.send(map[unix.Errno]error{unix.EEXIST: ErrIDExists}, "create_thin %d", id)
}

// CreateSnapshot makes a copy of origin. An active origin must be suspended,
// which the kernel does not enforce. See Confirm.
func (p *Pool) CreateSnapshot(id, origin ID) error {
	return p.send(map[unix.Errno]error{unix.EEXIST: ErrIDExists, unix.ENODATA: ErrNoSuchID}, "create_snap %d %d", id, origin)
}

// Delete deletes a thin device that is not active. See Confirm.
func (p *Pool) Delete(id ID) error {
	return p.send(map[unix.Errno]error{unix.ENODATA: ErrNoSuchID, unix.EBUSY: ErrIDInUse}, "delete %d", id)
}

// SetTransactionID moves the pool from one transaction id to another, if it is
// at the first; otherwise the error is ErrTransaction and nothing has changed.
func (p *Pool) SetTransactionID(from, to uint64) error {
	return p.send(map[unix.Errno]error{unix.EINVAL: ErrTransaction}, "set_transaction_id %d %d", from, to)
}

func (p *Pool) send(meanings map[unix.Errno]error, format string, args ...any) error {
	_, err := p.dm.Message(p.ref, 0, fmt.Sprintf(format, args...))
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return err
	}
	meanings[unix.EOPNOTSUPP] = ErrReadOnly
	if m := meanings[errno]; m != nil {
		return fmt.Errorf("%w: %w", m, err)
	}
	return err
}

// Confirm returns nil if what was sent before has been committed. The kernel
// answers a message before it knows: a commit that fails only shows in the
// pool's mode (dm-thin.c, pool_message).
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
