package catalog

import "slices"

// Begin puts op into the list of operations, in place of the one of the same volume if there is one. It is meant for use in SetPool.
//
// An op with a transaction id is the one that goes to the kernel now: any other that was meant to and did not get there is set back, as
// is right for who holds the pool's lock and has found the kernel's pool at p.TransactionID.
func (p *Pool) Begin(op Operation) {
	if op.TransactionID != 0 {
		for i := range p.Operations {
			p.Operations[i].TransactionID = 0
		}
	}
	if i := slices.IndexFunc(p.Operations, func(o Operation) bool { return o.Volume == op.Volume }); i >= 0 {
		p.Operations[i] = op
		return
	}
	p.Operations = append(p.Operations, op)
}

// Finish takes the operation of a volume ("" for the pool itself) out of the list and moves the pool's transaction id to the operation's,
// if that went to the kernel. next, if not nil, takes its place: {format} after {create}. It is meant for use in SetPool.
func (p *Pool) Finish(volume string, next *Operation) {
	i := slices.IndexFunc(p.Operations, func(o Operation) bool { return o.Volume == volume })
	if i < 0 {
		return
	}
	p.TransactionID = max(p.TransactionID, p.Operations[i].TransactionID)
	p.Operations = slices.Delete(p.Operations, i, i+1)
	if next != nil {
		p.Operations = append(p.Operations, *next)
	}
}
