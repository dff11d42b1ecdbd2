package catalog

import "fmt"

// Step is one intent whose command has died, and how far the command got.
//
// If InKernel is set, the kernel's pool already has the intent's transaction
// id. The kernel may or may not have carried out the message. Such a step comes
// first. It needs only the pool's lock and sends no other set_transaction_id.
// To redo a delete: message delete for the id ("no such id" is fine), check of
// the pool's status, Finish. For a create, the pool's metadata tells whether
// the id exists and was made with the intent's transaction id. If so, Finish
// completes it; an explicit intent is turned into a delete (BeginIntent), and
// that redone. If not, RemoveVolume and AbandonIntent end it.
//
// If InKernel is not set, the kernel has not seen the intent. RemoveVolume and
// DropIntent undo a create. No message is sent: another program may own an id
// that we did not make. To undo a format, turn it into a delete (BeginIntent)
// and redo that. To redo a delete, run it from its beginning,
// set_transaction_id included. These two need the volume's lock, which recovery
// only tries to take. If the lock is taken, the intent's command is alive, and
// recovery leaves the step to it.
//
// Before each message delete, ask CheckID. BeginIntent resets the transaction
// id of an intent that stays.
//
// To undo a create-pool or redo a delete-pool, take the pool's devices down and
// call Destroy.
type Step struct {
	Operation Intent
	InKernel  bool
}

// Incomplete returns the intent on the pool itself, if there is one. No command
// may activate such a pool. Recovery needs no transaction id to say what to do
// about it.
func (p Pool) Incomplete() (Intent, bool) {
	for _, op := range p.Intents {
		if op.Op == OpCreatePool || op.Op == OpDeletePool {
			return op, true
		}
	}
	return Intent{}, false
}

// Recovery says what to do about the intents of p. The command of each intent
// is dead, or it holds the volume's lock. kernel is the transaction id of the
// kernel's pool. The caller holds the pool's lock exclusively. kernel must be
// p.TransactionID, or the next id if an intent explains that. Otherwise there
// are no steps, and the error is a *MismatchError: leave the pool alone.
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

// CheckID returns a *CorruptError if the record of another volume has op's thin
// id. Deleting the id would lose that volume's data. Recovery asks CheckID
// before it deletes an id for a command that has died. CheckID reads all
// records. It ignores a record that cannot be read: such a record blocks its
// own name, and not the id of another volume.
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
			return &CorruptError{Path: c.journalPath(), Reason: reason}
		}
	}
	return nil
}
