package health

import (
	"fmt"

	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/thinpool"
)

// space is one of the two things that a pool can run out of.
type space struct {
	what        string // "data" or "metadata"
	used, total uint64 // blocks
	block       int64  // bytes
}

// Spaces is what a pool has of both. The reserve of metadata that the kernel
// hides counts as used in its status, and so here.
func Spaces(cfg catalog.Pool, st thinpool.Status) []space {
	return []space{
		{"data", st.DataUsed, st.DataTotal, BlockBytes(cfg)},
		{"metadata", st.MetaUsed, st.MetaTotal, thinpool.MetadataBlock},
	}
}

// Free is the number of blocks that nothing is on.
func (s space) Free() uint64 { return s.total - min(s.used, s.total) }

// short reports whether less than margin (percent) is free.
func (s space) short(margin int) bool { return s.Free()*100 < s.total*uint64(margin) }

// String is "6% of the data is free (20M of 320M)".
func (s space) String() string {
	percent := uint64(0)
	if s.total > 0 {
		percent = s.Free() * 100 / s.total
	}
	return fmt.Sprintf("%d%% of the %s is free (%s of %s)", percent, s.what, fault.SizeText(int64(s.Free())*s.block), fault.SizeText(int64(s.total)*s.block))
}

// BelowMargin says what there is too little of for new volumes; "" is neither.
func BelowMargin(cfg catalog.Pool, st thinpool.Status) string {
	for _, s := range Spaces(cfg, st) {
		if s.short(cfg.FreeMargin()) {
			return fmt.Sprintf("%v, less than the margin of %d%%", s, cfg.FreeMargin())
		}
	}
	return ""
}

// MarginRemedy is how a pool gets more of what is short: on devices, all that they
// have; a file has no end, so that a size is to be said.
func MarginRemedy(cfg catalog.Pool, st thinpool.Status) fault.Remedy {
	grow := fault.GrowPool{Pool: cfg.Name}
	part := map[string]*fault.Growth{"data": &grow.Data, "metadata": &grow.Metadata}
	for _, s := range Spaces(cfg, st) {
		if cfg.Data.Kind == catalog.KindFile && s.short(cfg.FreeMargin()) {
			*part[s.what] = more(int64(s.total) * s.block)
		}
	}
	return orDelete(grow)
}

// orDelete is the other way to get room.
func orDelete(r fault.Remedy) fault.Remedy { return fault.Sayf("%v, or delete volumes", r) }
