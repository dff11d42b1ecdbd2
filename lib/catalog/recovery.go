package catalog

import "fmt"

// Step is one operation whose owner has died, and how far it got.
//
// With InKernel, the kernel's pool has already gone on to the operation's
// transaction id, and its message may or may not have been carried out. Such a
// step comes first and is done under the pool's lock alone, without another
// set_transaction_id: message delete for the id ("no such id" is fine), check
// of the pool's status, RemoveVolume, SetPool with Finish. That holds for
// create (undone) and for delete (redone) alike.
//
// Without InKernel, the kernel has not heard of the operation. A create is
// undone by RemoveVolume and Abandon, with no message: an id that we did not
// make is not ours to delete. To undo a format, turn it into a delete (Begin)
// and redo that; to redo a delete, run it from its beginning,
// set_transaction_id included. Those two need the volume's lock, which is only
// tried for: if it is taken, the owner of the operation lives, and the step is
// left to it. Before a message delete CheckID is asked. Begin sets back the
// transaction id of an operation that is left.
//
// A create-pool is undone and a delete-pool redone by taking the pool's devices
// down and Destroy.
type Step struct {
	Operation Intent
	InKernel  bool
}

// Incomplete gives the operation on the pool itself, if there is one: such a
// pool is not to be activated, and Recovery needs no transaction id to say what
// is to be done about it.
func (p Pool) Incomplete() (Intent, bool) {
	for _, op := range p.Intents {
		if op.Op == OpCreatePool || op.Op == OpDeletePool {
			return op, true
		}
	}
	return Intent{}, false
}

// Recovery says what is to be done about the operations of p, whose owners are
// dead or hold the volume's lock. kernel is the transaction id of the kernel's
// pool; the pool's lock is held exclusively. If kernel is neither
// p.TransactionID nor the next one that an operation explains, there are no
// steps and the error is a *MismatchError: the pool is to be left alone.
func (p Pool) Recovery(kernel uint64) ([]Step, error) {
	if op, ok := p.Incomplete(); ok {
		return []Step{{Operation: op}}, nil
	}
	var steps []Step
	explained := kernel == p.TransactionID
	for _, op := range p.Intents {
		inKernel := op.TransactionID != 0 && op.TransactionID == kernel &&
			kernel == p.TransactionID+1
		if inKernel {
			explained = true
			steps = append([]Step{{Operation: op, InKernel: true}}, steps...)
			continue
		}
		steps = append(steps, Step{Operation: op})
	}
	if !explained {
		return nil, &MismatchError{Pool: p.Name, Catalog: p.TransactionID, Kernel: kernel}
	}
	return steps, nil
}

// CheckID refuses, with a *CorruptError, to end an operation whose thin id the
// record of another volume has: that volume's data would be lost. It is asked
// before an id is deleted for a command that has died, and reads all records.
// One that cannot be read is passed over: it keeps its own name from being
// used, and no other volume's id.
func (c *Catalog) CheckID(op Intent) error {
	names, err := c.recordNames()
	if err != nil {
		return err
	}
	for _, name := range names {
		v, err := c.VolumeAnyState(name)
		if err == nil && v.ID == op.ID && v.Name != op.Volume {
			reason := fmt.Sprintf("operation %s %s: id %d is volume %s's",
				op.Op, op.Volume, v.ID, v.Name)
			return &CorruptError{c.poolPath(), reason}
		}
	}
	return nil
}
