package catalog

import "slices"

// The methods of this file change a Pool for SetPool:
// SetPool(func(p *Pool) { p.BeginIntent(op) }).

// BeginIntent adds op to the intents of the pool. It replaces an intent on the
// same volume. For a create it moves NextID past op's id, so that no later
// create uses the id.
//
// If op has a transaction id, the caller is about to send it to the kernel. The
// caller holds the pool's lock and has seen that the kernel's pool is at
// p.TransactionID. So any other intent with a transaction id did not get to the
// kernel: BeginIntent sets its transaction id to 0.
func (p *Pool) BeginIntent(op Intent) {
	if op.TransactionID != 0 {
		for i := range p.Intents {
			p.Intents[i].TransactionID = 0
		}
	}
	if i := p.intent(op.Volume); i >= 0 && op.Record == nil {
		op.Record = p.Intents[i].Record
	} else if done, ok := p.doneWith(op.Volume); ok && op.Record == nil {
		op.Record = done.Record
	}
	p.done = slices.DeleteFunc(p.done, func(o Intent) bool { return o.Volume == op.Volume })
	if op.Op == OpCreate {
		p.NextID = max(p.NextID, op.ID+1)
	} else {
		op.Then = "" // recovery turns a create into a delete
	}
	if i := p.intent(op.Volume); i >= 0 {
		p.Intents[i] = op
		return
	}
	p.Intents = append(p.Intents, op)
}

// FinishIntent ends the intent on a volume ("" for the pool itself). If the
// intent has a transaction id, it becomes the pool's. The kernel must have
// carried the intent out; if it has not, use DropIntent or AbandonIntent. From
// then on the journal speaks for the volume's record until that is known to be
// durable. A create with Then becomes the intent that follows it.
func (p *Pool) FinishIntent(volume string) {
	i := p.intent(volume)
	if i < 0 {
		return
	}
	op := p.Intents[i]
	p.AbandonIntent(volume)
	if op.Then != "" {
		next := Intent{Op: op.Then, Volume: volume, ID: op.ID, Record: op.Record}
		p.Intents = append(p.Intents, next)
		return
	}
	if op.Record != nil || op.Op == OpDelete {
		op.TransactionID, op.Explicit = 0, false
		p.done = append(p.done, op)
	}
}

// AbandonIntent ends the intent on a volume that the kernel has seen and that
// has come to nothing: no thin device was made. If the intent has a transaction
// id, it becomes the pool's.
func (p *Pool) AbandonIntent(volume string) {
	if i := p.intent(volume); i >= 0 {
		p.TransactionID = max(p.TransactionID, p.Intents[i].TransactionID)
		p.Intents = slices.Delete(p.Intents, i, i+1)
	}
}

// advanceIntent ends one step of several. In the same write, next (format after
// create) replaces the intent.
func (p *Pool) advanceIntent(next Intent) {
	p.AbandonIntent(next.Volume)
	p.BeginIntent(next)
}

// DropIntent removes the intent on a volume that the kernel has not seen.
func (p *Pool) DropIntent(volume string) {
	if i := p.intent(volume); i >= 0 {
		p.Intents = slices.Delete(p.Intents, i, i+1)
	}
}

// intent returns the index of the intent on a volume, or -1.
func (p *Pool) intent(volume string) int {
	return slices.IndexFunc(p.Intents, func(o Intent) bool { return o.Volume == volume })
}
