package catalog

import "slices"

// The methods of this file change a Pool for SetPool:
// SetPool(func(p *Pool) { p.BeginIntent(op) }).

// BeginIntent puts op into the list of intents, in place of the one of the same
// volume if there is one. A create claims its id: NextID moves past the id
// before anybody uses it.
//
// An op with a transaction id goes to the kernel now. The caller holds the
// pool's lock and has found the kernel's pool at p.TransactionID. So any other
// intent with a transaction id did not get to the kernel: it loses that id.
func (p *Pool) BeginIntent(op Intent) {
	if op.TransactionID != 0 {
		for i := range p.Intents {
			p.Intents[i].TransactionID = 0
		}
	}
	if op.Op == OpCreate {
		p.NextID = max(p.NextID, op.ID+1)
	}
	if i := p.intent(op.Volume); i >= 0 {
		p.Intents[i] = op
		return
	}
	p.Intents = append(p.Intents, op)
}

// FinishIntent ends the intent of a volume ("" for the pool itself). The pool's
// transaction id becomes the intent's, if that has one. It is for an intent
// that the kernel has carried out; for all others there is DropIntent.
func (p *Pool) FinishIntent(volume string) {
	if i := p.intent(volume); i >= 0 {
		p.TransactionID = max(p.TransactionID, p.Intents[i].TransactionID)
		p.Intents = slices.Delete(p.Intents, i, i+1)
	}
}

// AdvanceIntent ends one step of several: next (format after create) takes the
// intent's place in the same write.
func (p *Pool) AdvanceIntent(next Intent) {
	p.FinishIntent(next.Volume)
	p.BeginIntent(next)
}

// DropIntent drops the intent of a volume that the kernel has not heard of.
func (p *Pool) DropIntent(volume string) {
	if i := p.intent(volume); i >= 0 {
		p.Intents = slices.Delete(p.Intents, i, i+1)
	}
}

// intent is the index of the operation of a volume, or -1.
func (p *Pool) intent(volume string) int {
	return slices.IndexFunc(p.Intents, func(o Intent) bool { return o.Volume == volume })
}
