package thin

import (
	"fmt"

	"thinmount/lib/catalog"
)

// provisioned is the sum of the sizes (bytes) of volumes: what they would take
// if all of them were full and shared nothing.
func provisioned(volumes []catalog.Volume) (sum int64) {
	for _, v := range volumes {
		if sum += v.Size; sum < 0 {
			return 1<<63 - 1
		}
	}
	return sum
}

// overcommitted says by how much a pool promises more than it has, if adding
// (bytes) a volume makes it so, or if that volume alone does; else "". It says so
// once, not at each volume that follows.
func overcommitted(pool string, has, before, adding int64) string {
	sum := before + adding
	if sum < 0 {
		sum = 1<<63 - 1
	}
	if sum <= has || before > has && adding <= has {
		return ""
	}
	return fmt.Sprintf("the sum of all volumes' sizes in pool %s (%s) exceeds what the pool can hold (%s): see to it that it does not run full",
		pool, sizeText(sum), sizeText(has))
}

// summedVolumes is how many volumes a pool may have for their sizes to be added
// up at each create: that reads a record of each.
const summedVolumes = 100

// warnOvercommitted tells whoever has made a volume of size bytes. It is for
// create alone: snapshots, which come by the hundred, share what they have.
func (p *pool) warnOvercommitted(size int64) {
	before := int64(0)
	if n, err := p.cat.Count(); err != nil {
		return // whoever looks at the volumes says so
	} else if n <= summedVolumes {
		volumes, err := p.cat.VolumesAnyState()
		if err != nil {
			return
		}
		before = provisioned(volumes) - size
	}
	st, err := p.thin.Status()
	if err != nil {
		return
	}
	cfg := p.cat.Pool()
	has := cfg.Data.Size
	if r := roomBelow(cfg); r.limits(cfg, st) {
		has = min(has, int64(st.DataUsed)*blockBytes(cfg)+r.left(cfg, st))
	}
	if said := overcommitted(p.name(), has, before, size); said != "" {
		p.sys.warn("%s", said)
	}
}

// warnLargerThanBelow tells whoever makes or grows a pool in files that the
// filesystem below has not as much as the pool is to hold.
func (s *System) warnLargerThanBelow(cfg catalog.Pool) {
	r := roomBelow(cfg)
	if r.total > 0 && r.free+r.allocated < cfg.Data.Size {
		s.warn("pool %s: can grow to %s, but %s has only %s left for it: writes fail when that is full",
			cfg.Name, sizeText(cfg.Data.Size), r.mount(), sizeText(r.free+r.allocated))
	}
}
