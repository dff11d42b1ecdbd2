package thin

import (
	"thinmount/lib/catalog"
	"thinmount/lib/thinpool"
)

// nextID is the thin id for a create that has found tried to be in use; 0 is none
// yet. As long as there are any, it is one that has never been used. Then those of
// volumes that were deleted come again: the transaction id at which each was made,
// which its record and the pool's metadata have, keeps the new one from being
// taken for the old one.
func (p *pool) nextID(tried uint32) (uint32, error) {
	cfg := p.cat.Pool()
	if cfg.NextID <= thinpool.MaxID {
		return cfg.NextID, nil
	}
	volumes, err := p.cat.VolumesAnyState()
	if err != nil {
		return 0, corrupt("pool "+p.name(), err) // a record that cannot be read has an id, too
	}
	id, ok := unusedID(cfg, volumes, tried)
	if !ok {
		return 0, &Error{Object: "pool " + p.name(), Err: reason(ErrPoolState, "all %d thin ids are in use", thinpool.MaxID),
			Hint: "delete volumes, or make another pool: thin-snap pool create NAME"}
	}
	return id, nil
}

// unusedID is the lowest thin id beyond tried that nobody has. The last one, with
// which a search from the beginning follows, is none of them.
func unusedID(cfg catalog.Pool, volumes []catalog.Volume, tried uint32) (id uint32, ok bool) {
	taken := map[uint32]bool{}
	for _, v := range volumes {
		taken[v.ID] = true
	}
	for _, op := range cfg.Operations {
		taken[op.ID] = true
	}
	if cfg.Head != nil {
		taken[*cfg.Head] = true
	}
	if tried == thinpool.MaxID {
		tried = 0
	}
	for id = tried + 1; id < thinpool.MaxID; id++ {
		if !taken[id] {
			return id, true
		}
	}
	return 0, false
}
