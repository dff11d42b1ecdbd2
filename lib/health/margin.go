package health

import (
	"fmt"

	"thinmount/lib/catalog"
	"thinmount/lib/fault"
	"thinmount/lib/thinpool"
)

// space is the data or the metadata of a pool, either of which may run out.
type space struct {
	what        string // "data" or "metadata"
	used, total uint64 // blocks
	block       int64  // bytes
}

// Spaces returns the data and the metadata of a pool. The kernel hides a
// reserve of metadata and counts it as used in the status, so it is used here,
// too.
func Spaces(cfg catalog.Pool, st thinpool.Status) []space {
	return []space{
		{"data", st.DataUsed, st.DataTotal, BlockBytes(cfg)},
		{"metadata", st.MetaUsed, st.MetaTotal, thinpool.MetadataBlock},
	}
}

// Free returns the number of free blocks.
func (s space) Free() uint64 { return s.total - min(s.used, s.total) }

// short tells whether less than margin percent of the blocks are free.
func (s space) short(margin int) bool { return s.Free()*100 < s.total*uint64(margin) }

// String returns, for example, "6% of the data is free (20M of 320M)".
func (s space) String() string {
	percent := uint64(0)
	if s.total > 0 {
		percent = s.Free() * 100 / s.total
	}
	return fmt.Sprintf("%d%% of the %s is free (%s of %s)", percent, s.what,
		fault.SizeText(int64(s.Free())*s.block), fault.SizeText(int64(s.total)*s.block))
}

// BelowMargin says whether the pool has too little data or metadata for new
// volumes. "" means that it has enough of both.
func BelowMargin(cfg catalog.Pool, st thinpool.Status) string {
	for _, s := range Spaces(cfg, st) {
		if s.short(cfg.FreeMargin()) {
			return fmt.Sprintf("%v, less than the margin of %d%%", s, cfg.FreeMargin())
		}
	}
	return ""
}

// MarginRemedy returns how a user gives a pool more of what is short. A pool on
// devices grows to the ends of the devices. A file has no end, so the remedy
// for a pool in files names a size.
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

// orDelete adds to a remedy that deleting volumes makes room, too.
func orDelete(r fault.Remedy) fault.Remedy { return fault.Sayf("%v, or delete volumes", r) }
