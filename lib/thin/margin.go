package thin

import (
	"fmt"

	"thinmount/lib/catalog"
	"thinmount/lib/thinpool"
)

// space is one of the two things that a pool can run out of.
type space struct {
	what        string // "data" or "metadata"
	used, total uint64 // blocks
	block       int64  // bytes
}

// spaces is what a pool has of both. The reserve of metadata that the kernel
// hides counts as used in its status, and so here.
func spaces(cfg catalog.Pool, st thinpool.Status) []space {
	return []space{
		{"data", st.DataUsed, st.DataTotal, blockBytes(cfg)},
		{"metadata", st.MetaUsed, st.MetaTotal, thinpool.MetadataBlock},
	}
}

// free is the number of blocks that nothing is on.
func (s space) free() uint64 { return s.total - min(s.used, s.total) }

// short reports whether less than margin (percent) is free.
func (s space) short(margin int) bool { return s.free()*100 < s.total*uint64(margin) }

// String is "6% of the data is free (20M of 320M)".
func (s space) String() string {
	percent := uint64(0)
	if s.total > 0 {
		percent = s.free() * 100 / s.total
	}
	return fmt.Sprintf("%d%% of the %s is free (%s of %s)", percent, s.what, sizeText(int64(s.free())*s.block), sizeText(int64(s.total)*s.block))
}

// belowMargin says what there is too little of for new volumes; "" is neither.
func belowMargin(cfg catalog.Pool, st thinpool.Status) string {
	for _, s := range spaces(cfg, st) {
		if s.short(cfg.FreeMargin()) {
			return fmt.Sprintf("%v, less than the margin of %d%%", s, cfg.FreeMargin())
		}
	}
	return ""
}

// canGrow refuses what a pool in trouble could not finish, and, unless force is
// said, new volumes in a pool that comes near its end: what is there is still
// to be written to, and to be deleted.
func (p *pool) canGrow(force bool) error {
	st, err := p.canWrite()
	if err != nil {
		return err
	}
	cfg := p.cat.Pool()
	if st.OutOfData() {
		return p.inState(st)
	}
	if below := belowMargin(cfg, st); below != "" && !force {
		return &Error{Object: "pool " + cfg.Name, Err: reason(ErrPoolState, "%s", below), Hint: marginHint(cfg, st) + ", or use --force"}
	}
	r := roomBelow(cfg)
	if short := r.short(cfg, st); short != "" && !force {
		return &Error{Object: "pool " + cfg.Name, Err: reason(ErrPoolState, "%s", short), Hint: r.hint() + ", or use --force"}
	}
	return nil
}

// marginHint is how a pool gets more of what is short: on devices, all that they
// have; a file has no end, so that a size is to be said.
func marginHint(cfg catalog.Pool, st thinpool.Status) string {
	option := map[string]string{"data": "--size ", "metadata": "--metadata-size "}
	grow := "thin-snap pool grow "
	for _, s := range spaces(cfg, st) {
		if cfg.Data.Kind == catalog.KindFile && s.short(cfg.FreeMargin()) {
			grow += option[s.what] + more(int64(s.total)*s.block) + " "
		}
	}
	return grow + cfg.Name + ", or delete volumes"
}
