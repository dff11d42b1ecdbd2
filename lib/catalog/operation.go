package catalog

import "slices"

// The methods of this file change a Pool for SetPool: SetPool(func(p *Pool) {
// p.Begin(op) }).

// Begin puts op into the list of operations, in place of the one of the same
// volume if there is one. A create claims its id: NextID moves past it before
// anybody uses it.
//
// An op with a transaction id is the one that goes to the kernel now: any other
// that was meant to and did not get there is set back, as is right for who
// holds the pool's lock and has found the kernel's pool at p.TransactionID.
func (p *Pool) Begin(op Operation) {
	if op.TransactionID != 0 {
		for i := range p.Operations {
			p.Operations[i].TransactionID = 0
		}
	}
	if op.Op == OpCreate {
		p.NextID = max(p.NextID, op.ID+1)
	}
	if i := p.operation(op.Volume); i >= 0 {
		p.Operations[i] = op
		return
	}
	p.Operations = append(p.Operations, op)
}

// Finish ends the operation of a volume ("" for the pool itself): the pool's
// transaction id becomes the operation's, if that has one. Only when the
// kernel's pool has got there, too; otherwise Abandon.
func (p *Pool) Finish(volume string) {
	if i := p.operation(volume); i >= 0 {
		p.TransactionID = max(p.TransactionID, p.Operations[i].TransactionID)
		p.Operations = slices.Delete(p.Operations, i, i+1)
	}
}

// FinishInto is Finish of a step of several: next (format after create) takes
// the operation's place in the same write.
func (p *Pool) FinishInto(next Operation) {
	p.Finish(next.Volume)
	p.Begin(next)
}

// Abandon drops the operation of a volume that the kernel has not heard of.
func (p *Pool) Abandon(volume string) {
	if i := p.operation(volume); i >= 0 {
		p.Operations = slices.Delete(p.Operations, i, i+1)
	}
}

// operation is the index of the operation of a volume, or -1.
func (p *Pool) operation(volume string) int {
	return slices.IndexFunc(p.Operations, func(o Operation) bool { return o.Volume == volume })
}
